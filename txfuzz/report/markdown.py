"""A campaign as Markdown, for a pull request comment or a build summary."""

from __future__ import annotations

from txfuzz.analysis.explain.headlines import headline
from txfuzz.common.sanitize import code_block, markdown
from txfuzz.common.sentences import counted
from txfuzz.report.baseline import Comparison
from txfuzz.report.campaign_result import CampaignResult, broken_promise, run_sentence
from txfuzz.report.finding import Finding
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.anomalies import anomaly_in_full

LONGEST = 60_000  # characters; code hosts allow comments of 65,536
_ROWS, _FINDINGS, _BLOCK = 40, 6, 6_000


def markdown_text(record: CampaignResult, comparison: Comparison | None = None) -> str:
    """The text. comparison: with a baseline."""
    facts = record.facts
    level = f"{facts.isolation} checked against {record.model}" if facts.isolation else ""
    seed = f"seed {facts.seed}" if facts.seed is not None else ""
    where = " · ".join(markdown(part) for part in (level, facts.server, seed) if part)
    sentence = run_sentence(record)
    leading = record.leading
    lines = [
        f"### {_mark(record, comparison)} txfuzz: {markdown(record.name)}",
        "",
        *([f"**{markdown(headline(leading))}**", ""] if leading is not None else []),
        f"**{markdown(sentence[:1].upper() + sentence[1:])}**",
        *(["", where] if where else []),
        *(["", markdown(comparison.sentence)] if comparison else []),
        *[
            f"\n> {markdown(remark)}"
            for remark in (*facts.cautions[:4], *record.remarks[:8], *record.failures[:4])
        ],
        "",
        *_table(record.analysed),
    ]
    blocks = [_finding(record, each, comparison) for each in record.findings[:_FINDINGS]]
    if len(record.findings) > _FINDINGS:
        blocks.append(f"… and {counted(len(record.findings) - _FINDINGS, 'more finding')}.")
    text = "\n".join(lines) + "\n"
    for at, block in enumerate(blocks):
        if len(text) + len(block) > LONGEST - 200:
            text += f"\n… {len(blocks) - at} more not shown.\n"
            break
        text += f"\n{block}\n"
    return text


def _mark(record: CampaignResult, comparison: Comparison | None) -> str:
    """A symbol for what the sentence below it says in words."""
    if comparison is not None and record.found:
        return "✅" if comparison.passes else "❌"
    if broken_promise(record):
        return "❌"
    return {"valid": "✅", "invalid": "⚠️", "unknown": "❔"}[record.verdict.value]


def _table(iterations: tuple[Iteration, ...]) -> list[str]:
    rows = [
        "| iteration | verdict | transactions | committed | edges per txn | near-cycles | found |",
        "|--:|---|--:|--:|--:|--:|---|",
    ]
    for each in iterations[:_ROWS]:
        numbers = each.numbers
        edges = "" if numbers.edges_per_txn is None else f"{numbers.edges_per_txn:.2f}"
        near = "" if numbers.near_cycles is None else f"{numbers.near_cycles:,}"
        found = each.found
        rows.append(
            f"| {each.name} | {each.verdict.value} | {numbers.transactions:,} | {numbers.ok:,} | {edges} "
            f"| {near} | {markdown(found[:200])} |"
        )
    more = len(iterations) - _ROWS
    return [*rows, *(["", f"… and {counted(more, 'more iteration')}."] if more > 0 else [])]


def _finding(record: CampaignResult, finding: Finding, comparison: Comparison | None) -> str:
    """Folded, with the explanation and the smallest SQL if there is one."""
    anomaly = finding.anomaly
    expected = comparison is not None and finding in comparison.known
    note = " (expected by the baseline)" if expected else ""
    title = f"{markdown(headline(anomaly))}, in {record.iteration(finding.first).label}{note}"
    parts = [
        f"<details><summary>{title}</summary>",
        "",
        *_fenced("\n".join(anomaly_in_full(anomaly, finding)), "text"),
    ]
    reproducer = record.reproducer_of(finding)
    if reproducer is not None and "repro.sql" in reproducer.files:
        parts += ["", "The smallest SQL that shows it:", "", *_fenced(reproducer.files["repro.sql"], "sql")]
    return "\n".join([*parts, "", "</details>"])


def _fenced(text: str, language: str) -> list[str]:
    text = text.rstrip()
    return code_block(text if len(text) <= _BLOCK else f"{text[:_BLOCK]}\n…", language)
