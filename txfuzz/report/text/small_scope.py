"""The small-scope search of a campaign in words: lines for the screen, and its notes.md."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import counted
from txfuzz.feedback.contract import Adjustment
from txfuzz.replay.small_scope.result import CombinationResult, SmallScopeResult, VariationResult
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.near_cycle_notes import near_misses
from txfuzz.report.text.notes import changed_text, leading_anomaly
from txfuzz.report.verdict import verdict_sentence
from txfuzz.workload.database.endpoints import level_words

VARIED = "As it is, the workload showed nothing, so schedules that say most ran again with one thing changed"

_ROWS = 60  # combinations in the table


def small_scope_text(found: SmallScopeResult) -> str:
    """What the search ran, as a phrase."""
    combinations = found.combinations
    pairs = sum(len(each.transactions) == 2 for each in combinations)
    triples = len(combinations) - pairs
    of = [counted(pairs, "pair")] if pairs else []
    of += [counted(triples, "triple")] if triples else []
    text = counted(found.schedules, "schedule")
    text += f" of {' and '.join(of)} of transactions" if of else ""
    own = found.found_as_is
    first = "" if found.first_found is None else f" (first in schedule {found.first_found:,})"
    text += f": {own:,} showed an anomaly{first if own else ''}, the database refused {found.refused:,}"
    if found.variations:
        tried = counted(len(found.variations), "variation")
        again = counted(found.varied_schedules, "schedule")
        showed = f"{found.found - own:,} showed an anomaly"
        text += f"; {again} of {tried} of the workload: {showed}{'' if own else first}"
    return text


def stop_note(found: SmallScopeResult) -> tuple[str, ...]:
    """A sentence if the search ended early, and one if schedules could not continue."""
    notes = []
    if found.stopped:
        left = f" ({found.schedules:,} of {counted(found.planned, 'schedule')})" if found.planned else ""
        left = " while variations were tried" if 0 < found.planned == found.schedules else left
        notes.append(f"the search ended early{left}: {found.stopped}")
    if found.stuck:
        notes.append(f"{counted(found.stuck, 'schedule')} could not continue")
    return tuple(notes)


def small_scope_notes(iteration: Iteration, promised: str | None) -> str:
    """notes.md of the search, as Markdown. promised: the model that the database answers for."""
    workload, result, found = iteration.workload, iteration.result, iteration.searched or SmallScopeResult()
    level = markdown(workload.database.isolation or "an unknown isolation level")
    seen = [
        markdown(verdict_sentence(result, level_words(workload), promised)),
        f"{result.committed:,} of {counted(result.transactions, 'transaction')} committed, "
        f"{result.failed:,} failed, {result.unknown:,} unknown.",
    ]
    parts = [
        f"# {markdown(workload.name)}, iteration small-scope",
        f"Before the first iteration, the workload's transactions ran two and three at a time at {level}, "
        "schedule by schedule, each on keys of its own: first those in which a weaker database would show a "
        "cycle.",
        f"## What was seen\n\n{_capital(small_scope_text(found))}.\n\n{' '.join(seen)}",
        *leading_anomaly(result, promised),
        *_table(found.combinations),
        *_varied(found.variations),
        f"## What nearly happened\n\n{near_misses(result)}",
        f"## What changes next\n\n{_changes(iteration.decisions)}",
    ]
    if iteration.notes:
        parts.append("## Remarks\n\n" + "\n".join(f"- {markdown(note)}" for note in iteration.notes))
    return "\n\n".join(parts) + "\n"


def _changes(decisions: Sequence[Adjustment]) -> str:
    if not decisions:
        return "The first iteration runs the workload as it is."
    return "\n".join(f"- {changed_text(each)}" for each in decisions)


def _table(combinations: Sequence[CombinationResult]) -> list[str]:
    """The combinations that showed or nearly showed something come first."""
    if not combinations:
        return []
    ranked = sorted(combinations, key=lambda each: (-each.found, -each.refused, len(each.transactions)))
    rows = ["| transactions | schedules | dangerous | refused | anomalies |", "|---|--:|--:|--:|---|"]
    rows += [
        f"| {markdown(' × '.join(each.transactions))} | {each.schedules:,} | {each.dangerous:,} "
        f"| {each.refused:,} | {anomalies_text(each)} |"
        for each in ranked[:_ROWS]
    ]
    more = len(ranked) - _ROWS
    return ["\n".join(rows), *([f"… and {counted(more, 'more combination')}."] if more > 0 else [])]


def _varied(variations: Sequence[VariationResult]) -> list[str]:
    if not variations:
        return []
    rows = ["| variation | schedules | anomalies |", "|---|--:|---|"]
    rows += [
        f"| {markdown(each.change.reason)} | {each.schedules:,} | {markdown(variation_text(each))} |"
        for each in variations
    ]
    return [f"{VARIED}:", "\n".join(rows)]


def variation_text(each: VariationResult) -> str:
    """Its anomalies, or why it did not run."""
    return f"not run: {each.refused}" if each.refused else anomalies_text(each)


def anomalies_text(each: CombinationResult | VariationResult) -> str:
    """The anomalies of a combination or variation with the number of schedules that showed them."""
    return ", ".join(f"{name} ×{count:,}" for name, count in each.anomalies.items())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
