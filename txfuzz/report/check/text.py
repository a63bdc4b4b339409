"""A check as text: for each set of transactions its table, its story and what mends it."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.check.finding.locked_code import LockedCode
from txfuzz.check.finding.result import CheckResult, Fix, LevelCounts, ReplayedSchedule, SetResult
from txfuzz.check.story import explanation
from txfuzz.common.sentences import counted, listed
from txfuzz.report.check.crowd import crowd_sentences
from txfuzz.report.check.story import schedule_lines, story_lines
from txfuzz.report.check.table import REFUSED, code_text, head, knows_number, table_lines
from txfuzz.report.text.lines import paragraph

_STORIES = 3
_MANY = 0.1  # of all schedules


def check_text(found: CheckResult) -> str:
    return f"{check_body(found)}\n{verdict_text(found)}"


def verdict_text(found: CheckResult) -> str:
    return "\n".join(paragraph(verdict(found)))


def check_body(found: CheckResult) -> str:
    """The text without the verdict, which comes last."""
    lines = paragraph(head(found))
    told = 0
    for one in found.sets:
        lines += ["", *table_lines(one)]
        for fix in one.fixes:
            lines += _fix_lines(fix_text(fix), fix.sql)
        for hint in hints(found, one):
            lines += paragraph(f"hint: {hint}", hang=6)
        for finding in one.findings:
            if told < _STORIES or finding.blames_database:
                level = finding.isolation.upper()
                lines += ["", *paragraph(f"How {one.name} goes wrong at {level}:"), *story_lines(finding)]
            told += 1
    if told > _STORIES:
        lines += ["", f"The stories of {told - _STORIES} more are in the files."]
    lines.append("")
    for sentence in notes(found):
        lines += paragraph(sentence, hang=2)
    return "\n".join(lines)


def replayed_text(found: ReplayedSchedule) -> str:
    """A schedule that was followed again: its story, and how often it failed as it did."""
    finding = found.finding
    lines = paragraph(f"{found.name} on {found.server}, {finding.attempt.program.name} at "
                      f"{finding.isolation.upper()}:")  # fmt: skip
    lines += schedule_lines(finding)
    told = (
        *explanation(finding.attempt),
        *([f"Could not be judged: {found.reason}."] if found.reason else ()),
    )
    for sentence in told:
        lines += ["", *paragraph(sentence)]
    lines += ["", *paragraph(replay_verdict(found))]
    return "\n".join(lines)


def replay_verdict(found: ReplayedSchedule) -> str:
    finding = found.finding
    if not finding.failures:
        return "Nothing goes wrong."
    again = f"{finding.shown} of {finding.tries} times"
    if finding.shown:
        blame = ", which its level promises to prevent" if finding.blames_database else ""
        return f"Showed again {again}{blame}: {listed(finding.failures)}."
    if found.failures:
        return f"Did not show again ({listed(finding.failures)}), but: {listed(found.failures)}."
    return f"Did not show again in {finding.tries} times: {listed(finding.failures)}."


def verdict(found: CheckResult) -> str:
    """What the check came to, in a sentence or two."""
    broken = [each for each in found.findings if each.blames_database]
    if broken:
        levels = listed(dict.fromkeys(each.isolation.upper() for each in broken))
        return f"The database breaks the promise of {levels}."
    if found.failing or found.broken_by_crowd:
        wrong = [_failing_at(found, one) for one in found.failing]
        if found.broken_by_crowd:
            wrong.append(f"a crowd at {listed(level.upper() for level in found.broken_by_crowd)}")
        return f"Not safe: {'; '.join(wrong)}."
    if found.interrupted or found.lost:
        return "It was stopped before all schedules had run; none of those that ran failed."
    if found.unjudged:
        return f"No verdict: {listed(one.name for one in found.unjudged)} could not be judged."
    levels = listed(level.upper() for level in found.asked)
    counts = [one.level(level) for one in found.sets for level in found.asked_of(one)]
    number = counted(sum(each.schedules for each in counts), "schedule")
    unknown = sum(each.unknown for each in counts)
    return (
        f"No schedule fails at {levels} ({number}{f', {unknown:,} of them not judged' if unknown else ''})."
    )


def _failing_at(found: CheckResult, one: SetResult) -> str:
    levels = [level.upper() for level in found.asked_of(one) if one.level(level).failing]
    return f"{one.name} at {listed(levels)}"


def locked_code_lines(found: LockedCode) -> list[str]:
    """What mends functions: as the fix of a set, but that there are no counts without it."""
    result = found.result
    whole = "" if result.complete else ", not all were run"
    codes = "".join(f"; aborts by {code} {number:,}" for code, number in sorted(result.aborted.items()))
    waits = f"; waits {result.waited:,}" if result.waited else ""
    tried = f"tried: 0 of {counted(result.schedules, 'schedule')} fail{whole}{waits}{codes}"
    return _fix_lines(f"{found.about} ({tried})", found.sql)


def _fix_lines(about: str, sql: str) -> list[str]:
    shown = [line for each in sql.splitlines() for line in paragraph(each, indent=7, hang=2)]
    return [*paragraph(f"fix: {about}", hang=5), *shown]


def fix_text(fix: Fix) -> str:
    """The change, that it was tried, and its price: in how many schedules somebody waits or is aborted."""
    after = fix.after
    fails = f"{after.failing:,} of {after.schedules:,} fail{', as in series' if after.failing else ''}"
    whole = "" if after.complete else ", not all were run"
    price = "".join(f"; {each}" for each in prices(fix))
    return f"{fix.about} (tried: {fails}{whole}{price})"


def prices(fix: Fix) -> Iterator[str]:
    """In how many schedules somebody waits, or is aborted by which code, with the change and without it:
    "waits 12 of 18, was 18 of 42"; without the totals where both are the same, which is said already."""
    before, after = fix.before, fix.after

    def price(number: int, was: int) -> str:
        if before.schedules == after.schedules:
            return f"{number:,}, was {was:,}"
        return f"{number:,} of {after.schedules:,}, was {was:,} of {before.schedules:,}"

    if before.waited or after.waited:
        yield f"waits {price(after.waited, before.waited)}"
    codes_before, codes_after = {**before.aborted, **before.failed}, {**after.aborted, **after.failed}
    deadlocks = {*before.deadlocks, *after.deadlocks}
    constraints = {*before.constraints, *after.constraints}
    for code in sorted({*codes_before, *codes_after}):
        how = f"{REFUSED} ({code})" if code in constraints else f"aborts by {code_text(code, deadlocks)}"
        yield f"{how} {price(codes_after.get(code, 0), codes_before.get(code, 0))}"


def hints(found: CheckResult, one: SetResult) -> Iterator[str]:
    """What may help without having been tried: an order of locks, where deadlocks are many and all that goes
    wrong at a level that counts."""
    levels = (one.level(level) for level in found.asked_of(one))
    told = [
        f"{number:,} of {counted(each.schedules, 'schedule')} at {each.isolation.upper()}"
        for each in levels
        if (number := _deadlocks_alone(each)) >= max(_MANY * each.schedules, 1)
    ]
    if told:
        yield (
            f"deadlocks are all that goes wrong ({listed(told)}); they are avoided if each transaction first "
            "takes its rows in one order, as by SELECT … ORDER BY key FOR UPDATE"
        )


def _deadlocks_alone(counts: LevelCounts) -> int:
    """In how many schedules there were deadlocks at least; 0 where something else went wrong, too."""
    others = counts.failing or counts.failed or counts.aborted.keys() - {*counts.deadlocks}
    return 0 if others else max(counts.aborted.values(), default=0)


def _retried(found: CheckResult) -> Iterator[str]:
    """What a code that asks for another try means to those who wrote the transactions."""
    levels = [each for one in found.sets for each in one.levels]
    codes = sorted({code for each in levels for code in each.aborted})
    deadlocks = sorted({code for each in levels for code in each.deadlocks})
    order = ""
    if deadlocks:
        order = f"; or, for deadlocks ({listed(deadlocks)}), all have to lock rows in one order"
    if codes:
        yield (
            f"Aborted, to be retried ({listed(codes)}): because of what ran beside it the database has "
            "undone the whole transaction, and the code that runs it has to run it again from its beginning"
            f"{order}."
        )


def _refused(found: CheckResult) -> Iterator[str]:
    """What a constraint means to them, the one of a fix, too."""
    tried = (fix.after for one in found.sets for fix in one.fixes)
    levels = [*(each for one in found.sets for each in one.levels), *tried]
    codes = sorted({code for each in levels for code in each.constraints})
    if codes:
        yield (
            f"{REFUSED.capitalize()} ({listed(codes)}): the database has undone the transaction that would "
            "have broken it, and the code that runs it has to expect that error."
        )


def _unknown_number(one: SetResult) -> bool:
    return any(not each.complete and not knows_number(each) for each in one.levels)


def notes(found: CheckResult) -> Iterator[str]:
    """What a reader has to know to judge the judgement."""
    for note in found.notes:
        yield f"{note}."
    sampled = [one.name for one in found.sets if any(not each.complete for each in one.levels)]
    if sampled:
        sign = " (+)" if any(_unknown_number(one) for one in found.sets) else ""
        yield (
            f"Of {listed(sampled, most=3)} not all schedules were run{sign}, but those with the fewest "
            "switches between transactions; --schedules and --budget run more."
        )
    yield from _retried(found)
    yield from _refused(found)
    serial = [one.name for one in found.sets if any(each.in_series for each in one.levels)]
    if serial:
        yield (
            f"{listed(serial, most=3)}: an invariant is broken even when the transactions run one after the "
            "other, so no isolation level helps; they have to look for it themselves."
        )
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found.sets:
        for each in one.levels:
            for reason in each.reasons[:1]:
                reasons.setdefault((one.name, reason), []).append(each.isolation)
    for (name, reason), levels in reasons.items():
        yield f"Could not be judged ({name}, {listed(levels)}): {reason}."
    for crowd in found.crowds:
        yield from crowd_sentences(crowd)
    left_out = [each for each in found.masked if each not in found.renamed]
    if left_out:
        yield f"Not compared: {listed(left_out, most=6)}. No schedule fails for what stands there."
    if found.renamed:
        yield (
            f"Identifiers that the database gives out: {listed(found.renamed, most=6)}. No schedule fails "
            "for other values there, only where they lead to other rows."
        )
    if found.lost:
        yield f"The database was lost: {found.lost}."
    if (found.interrupted or found.lost) and found.failing:
        yield "It was stopped before all schedules had run."
