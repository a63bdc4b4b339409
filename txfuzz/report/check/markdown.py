"""story.md of a finding: the schedule and why it is wrong, for a mail or a pull request."""

from __future__ import annotations

from txfuzz.check.finding.result import CheckResult, Finding, SetResult
from txfuzz.check.story import explanation
from txfuzz.common.sanitize import markdown, printable
from txfuzz.common.sentences import listed
from txfuzz.report.check.story import remarks, schedule_lines
from txfuzz.report.check.text import fix_text


def story_markdown(found: CheckResult, one: SetResult, finding: Finding) -> str:
    lines = [
        f"# {markdown(one.name)} at {finding.isolation.upper()}",
        "",
        f"{markdown(listed(finding.failures)).capitalize()}. On {markdown(found.server or found.adapter)}, "
        f"from `{printable(found.source)}`.",
        "",
        "```text",
        *schedule_lines(finding),
        "```",
        "",
    ]
    for sentence in (*explanation(finding.attempt), *remarks(finding)):
        lines += [markdown(sentence), ""]
    fixes = [fix for fix in one.fixes if fix.before.isolation == finding.isolation]
    if fixes:
        lines += ["What mends it, tried over the same schedules:", ""]
        for fix in fixes:
            lines.append(f"- {markdown(fix_text(fix))}")
            if fix.sql:
                lines += ["", *(f"      {printable(each)}" for each in fix.sql.splitlines()), ""]
        lines.append("")
    lines += [
        "`txfuzz check replay.yaml` follows the schedule again; `repro.sql` is the same to be typed by hand.",
    ]
    return "\n".join(lines) + "\n"
