"""Near-cycles in notes.md: a table, and which of them the next iteration can still close."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.analysis.near_cycles.pursuit import ALONE, FORCED, NOT_ASKED, NOT_FORCED, UNKNOWN, Pursuit
from txfuzz.analysis.result import AnalysisResult, MissingEdge, NearCycle
from txfuzz.common.key_ranges import key_union
from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import counted, listed
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.roles import choices
from txfuzz.feedback.targets.choices import keys_of_value
from txfuzz.report.text.anomalies import path_text
from txfuzz.workload.model import Workload

_RANKED = 12  # near-misses in the table
_HOPES = 3  # of them named with a decision

_PRESSURE = ("scheduling.clients", "scheduling.barrier_every")

_OUTCOMES = {
    FORCED: "forced",
    NOT_FORCED: "not forced",
    NOT_ASKED: "not attempted, because its keys are no longer chosen",
    ALONE: "not attempted, because one client ran alone",
    UNKNOWN: "unknown",
}

# The parts of a score in words
_PARTS = {
    "dangerous": "two anti-dependencies in a row",
    "overlap": "how long the two ends overlapped",
    "met": "both ends touched the key",
    "pressure": "how much pressure the key is under",
    "short": "few edges",
}


def near_misses(result: AnalysisResult) -> str:
    """What nearly happened: one row per near-cycle, by rank."""
    shown = result.near_cycles[:_RANKED]
    seen = max(result.near_cycles_counted, len(shown))
    if not shown:
        far = f" ({counted(seen, 'near-cycle')} out of reach)" if seen else ""
        return (
            "Nothing: no path of dependencies was one edge short of a cycle that the expected model "
            f"forbids{far}."
        )
    rows = [
        "| rank | score | would be | existing edges | missing edge | from | to | score parts |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rank, near in enumerate(shown, 1):
        missing = near.missing
        rows.append(
            f"| {rank} | {near.score:.2f} | {markdown(near.anomaly)} | {markdown(path_text(near))} "
            f"| {missing.kind} on key {missing.key} "
            f"| {_end(near, missing.source, missing.source_template, missing.source_step)} "
            f"| {_end(near, missing.target, missing.target_template, missing.target_step)} | {_parts(near)} |"
        )
    head = (
        f"{counted(seen, 'near-cycle')} in all, including those out of reach. The table lists the "
        "nearest within reach (at most `--max-near-cycles`), each one edge short of a cycle. Transactions "
        "are numbered as in history.edn (`:index`); keys are the workload's."
    )
    named = dict.fromkeys(name for near in shown for name, value in near.score_parts.items() if value)
    meaning = "; ".join(f"{name} = {_PARTS[name]}" for name in named if name in _PARTS)
    return "\n".join([head, "", *rows, *(["", f"Score parts: {meaning}."] if meaning else [])])


def pursuit_ahead(result: AnalysisResult, workload: Workload, decisions: Sequence[Adjustment]) -> str | None:
    """Which near-cycle the next iteration pursues; None if it cannot close the nearest one."""
    first = next(iter(_possible(result, workload, decisions)), None)
    if first is None or first[0] != 1:
        return None
    keys = sorted(first[1].keys)
    them = f"key{'s' * (len(keys) > 1)} {listed(map(str, keys))}"
    drawn = "" if result.anomalies else ", the first in minimal_dependency_graph.png,"
    return (
        f"The next iteration pursues near-cycle 1{drawn} and keeps {them} for it; its notes say whether the "
        "missing edge was forced."
    )


def pursued_text(pursued: Pursuit) -> str:
    """Whether the edge that was missing in an earlier iteration appeared in this one.

    "the missing rw edge book → book on key 42 of iteration 1: forced 31 times"
    """
    missing = pursued.missing
    source, target = (
        "?" if name is None else name for name in (missing.source_template, missing.target_template)
    )
    edge = (
        f"the missing {missing.kind} edge {source} → {target} on key {missing.key} of iteration "
        f"{pursued.iteration}: {_OUTCOMES[pursued.outcome]}"
    )
    if pursued.outcome != FORCED:
        return edge
    closed = f", and part of {listed(pursued.closed)}" if pursued.closed else ""
    return f"{edge} {'once' if pursued.times == 1 else f'{pursued.times:,} times'}{closed}"


def hope(
    result: AnalysisResult, workload: Workload, decisions: Sequence[Adjustment], decision: Adjustment
) -> str:
    """Which missing edges the change makes likelier, among those still possible after all decisions."""
    possible = _possible(result, workload, decisions)
    if decision.target in _PRESSURE and decision.after > decision.before:
        possible = possible[:1]
    elif decision.target not in ("keys", "choices"):
        possible = []
    hopes = [f"{_missing(near.missing)} (near-cycle {rank})" for rank, near in possible[:_HOPES]]
    if not hopes:
        return ""
    more = f" (and {len(possible) - len(hopes)} more)" if len(possible) > len(hopes) else ""
    return f" It hopes to force {listed(hopes)}{more}."


def _possible(
    result: AnalysisResult, workload: Workload, decisions: Sequence[Adjustment]
) -> list[tuple[int, NearCycle]]:
    """The near-cycles that the next workload can close, with their ranks: it has their keys and runs
    their transactions, and not in one client alone."""
    keys, mix = set(workload.logical_keys()), {each.txn: each.weight for each in workload.mix}
    for decision in decisions:
        if decision.target == "keys":
            keys = set(decision.after) | _fixed(workload)
        elif decision.target == "mix":
            mix = dict(decision.after)
        elif decision.target == "transactions":
            mix = dict(decision.after["mix"])
        elif decision.target == "scheduling.clients" and decision.after < 2:
            return []
        elif decision.target == "choices":
            keys = set(key_union(keys_of_value(each["keys"]) for each in decision.after))
    return [
        (rank, near)
        for rank, near in enumerate(result.near_cycles, 1)
        if set(near.keys) <= keys
        and all(view.template is None or mix.get(view.template, 0) > 0 for view in near.transactions)
    ]


def _fixed(workload: Workload) -> set[int]:
    """The keys of choices that have only one, which no decision changes."""
    each = (choice for transaction in workload.transactions for choice in choices(transaction))
    return {choice.keys[0] for choice in each if len(choice.keys) == 1}


def _missing(missing: MissingEdge) -> str:
    source = _step(missing.source_template, missing.source_step)
    target = _step(missing.target_template, missing.target_step)
    return f"the {missing.kind} edge on key {missing.key} from {source} to {target}"


def _end(near: NearCycle, row: int, template: str | None, step: int | None) -> str:
    index = next((view.index for view in near.transactions if view.row == row), None)
    return _step(template, step) + (f" ({index})" if index is not None else "")


def _step(template: str | None, step: int | None) -> str:
    name = "an unnamed transaction" if template is None else markdown(template)
    return name if step is None else f"{name} step {step}"


def _parts(near: NearCycle) -> str:
    return " + ".join(f"{value:.2f} {name}" for name, value in near.score_parts.items() if value)
