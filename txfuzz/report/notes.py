"""notes.md of an iteration: what was seen, what changes next and why, in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from txfuzz.analysis.result import AnalysisResult, MissingEdge, NearCycle, Verdict
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.lines import counted, printable
from txfuzz.report.verdict import listed, verdict_sentence
from txfuzz.workload.model import Workload

_RANKED = 12  # near-misses in the table
_HOPES = 3  # of them named with a decision
_KEYS = 8  # keys named one by one

# How the parts of a score are told
_PARTS = {
    "dangerous": "two anti-dependencies in a row",
    "overlap": "how long the two ends overlapped",
    "met": "both ends touched the key",
    "pressure": "how hard the key is pressed",
    "short": "few edges",
}


def notes_text(
    number: int,
    workload: Workload,
    result: AnalysisResult,
    decisions: Sequence[Adjustment],
    *,
    promised: str | None = None,
    replayed: AnalysisResult | None = None,
    remarks: Iterable[str] = (),
) -> str:
    """The page of iteration `number`, as Markdown.

    decisions: what the feedback changes for the next iteration; replayed: what its replays mean, where they
    alone contradict the expected model; remarks: further sentences.
    """
    parts = [
        f"# {workload.name}, iteration {number}",
        _asked(workload),
        f"## What was seen\n\n{_seen(workload, result, promised)}",
        *([] if replayed is None else [_replayed(number, workload, replayed, promised)]),
        f"## What nearly happened\n\n{_near_misses(result)}",
        f"## What changes next\n\n{_changes(result, decisions)}",
    ]
    told = [f"- {_safe(remark)}" for remark in remarks]
    if told:
        parts.append("## Remarks\n\n" + "\n".join(told))
    return "\n\n".join(parts) + "\n"


def _asked(workload: Workload) -> str:
    scheduling = workload.scheduling
    much = (
        f"{scheduling.transactions:,} transactions"
        if scheduling.transactions is not None
        else f"{scheduling.duration:g} seconds"
    )
    total = sum(weight.weight for weight in workload.mix)
    mix = listed(f"{weight.txn} {weight.weight / total:.0%}" for weight in workload.mix)
    barrier = (
        f", who meet after every {scheduling.barrier_every} transactions" if scheduling.barrier_every else ""
    )
    level = workload.database.isolation or "an unknown isolation level"
    return (
        f"Asked: {much} by {counted(scheduling.clients, 'client')}{barrier}, on "
        f"{_keys(workload.logical_keys())}, at {level}. The mix: {mix}. Seed {workload.seed}."
    )


def _seen(workload: Workload, result: AnalysisResult, promised: str | None) -> str:
    counts = result.edge_counts
    sentences = [
        verdict_sentence(result, workload.database.isolation, promised),
        f"{result.committed:,} of {result.transactions:,} transactions committed, {result.failed:,} failed, "
        f"{result.unknown:,} are unknown.",
    ]
    if result.verdict is not Verdict.UNKNOWN or any(counts.values()):
        sentences.append(
            f"They depend on each other by {counts.get('wr', 0):,} wr, {counts.get('ww', 0):,} ww and "
            f"{counts.get('rw', 0):,} rw edges: {result.edges_per_txn:.2f} dependent pairs a transaction, "
            f"{result.concurrent_edges_per_txn:.2f} of them between transactions that overlapped in time."
        )
    if result.key_pressure:
        hardest = result.key_pressure[0]
        sentences.append(
            f"Hardest pressed is key {hardest.key}, with {hardest.reads:,} reads, {hardest.writes:,} writes "
            f"and {hardest.concurrent_edges:,} concurrent edges."
        )
    return "\n\n".join([" ".join(_safe(sentence) for sentence in sentences), *_shortest(result)])


def _replayed(number: int, workload: Workload, replayed: AnalysisResult, promised: str | None) -> str:
    """What the run itself did not show."""
    said = _safe(verdict_sentence(replayed, workload.database.isolation, promised))
    head = f"## What the replay of iteration {number} showed\n\n{said}"
    return "\n\n".join([head, *_shortest(replayed)])


def _shortest(result: AnalysisResult) -> list[str]:
    if not result.anomalies:
        return []
    shortest = result.anomalies[0]
    told = [f"> {_safe(edge.why)}  " for edge in shortest.edges] or [f"> {_safe(shortest.explanation)}"]
    return ["\n".join([f"The shortest {shortest.type}:", "", *told])]


def _near_misses(result: AnalysisResult) -> str:
    shown = result.near_cycles[:_RANKED]
    if not shown:
        return "Nothing: no dependency was one edge short of a cycle that the expected model forbids."
    rows = [
        "| rank | score | would be | missing edge | from | to | on key | score made of |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rank, near in enumerate(shown, 1):
        missing = near.missing
        rows.append(
            f"| {rank} | {near.score:.2f} | {near.anomaly} | {missing.kind} "
            f"| {_end(missing.source_template, missing.source_step)} "
            f"| {_end(missing.target_template, missing.target_step)} | {missing.key} | {_parts(near)} |"
        )
    head = (
        f"{counted(max(result.near_cycles_counted, len(shown)), 'near-cycle')} in all; the nearest "
        f"{len(shown)}, each one edge short of a cycle:"
    )
    named = dict.fromkeys(name for near in shown for name, value in near.score_parts.items() if value)
    meaning = "; ".join(f"{name}: {_PARTS[name]}" for name in named if name in _PARTS)
    return "\n".join([head, "", *rows, *(["", f"In the scores, {meaning}."] if meaning else [])])


def _changes(result: AnalysisResult, decisions: Sequence[Adjustment]) -> str:
    if not decisions:
        return "Nothing: the next iteration asks the same, with other random choices."
    lines = [f"- {_change(decision)}{_hope(result, decision)}" for decision in decisions]
    return "\n".join(lines)


def _change(decision: Adjustment) -> str:
    return _safe(
        f"**{decision.heuristic}** changes {_target(decision.target)} from {_value(decision.before)} to "
        f"{_value(decision.after)}, because {decision.reason}."
    )


def _target(target: str) -> str:
    return {
        "keys": "the choice of keys",
        "mix": "the mix",
        "scheduling.clients": "the number of clients",
        "scheduling.barrier_every": "how often the clients meet at a barrier (0: never)",
        "init_schema": "whether the tables are made anew",
    }.get(target, target)


def _hope(result: AnalysisResult, decision: Adjustment) -> str:
    """Which missing edges the change brings nearer."""
    near: list[NearCycle] = []
    if decision.target == "keys":
        kept = set(decision.after)
        near = [each for each in result.near_cycles if set(each.keys) <= kept]
    elif decision.target.startswith("scheduling.") and decision.after > decision.before:
        near = list(result.near_cycles[:1])
    if not near:
        return ""
    edges = dict.fromkeys(_missing(each.missing) for each in near)
    hopes = list(edges)[:_HOPES]
    more = f" (and {len(edges) - len(hopes)} more)" if len(edges) > len(hopes) else ""
    return f" It hopes to force {listed(hopes)}{more}."


def _missing(missing: MissingEdge) -> str:
    source = _end(missing.source_template, missing.source_step)
    target = _end(missing.target_template, missing.target_step)
    return f"the {missing.kind} edge on key {missing.key} from {source} to {target}"


def _end(template: str | None, step: int | None) -> str:
    name = "an unnamed transaction" if template is None else _safe(template)
    return name if step is None else f"{name} step {step}"


def _parts(near: NearCycle) -> str:
    return " + ".join(f"{value:.2f} {name}" for name, value in near.score_parts.items() if value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | range):
        return _keys(value)
    if isinstance(value, dict):
        return listed(f"{name} {weight:.3g}" for name, weight in value.items())
    return str(value)


def _keys(keys: Sequence[int]) -> str:
    if len(keys) > _KEYS:
        return f"{len(keys):,} keys"
    return f"{'key' if len(keys) == 1 else 'keys'} {listed(map(str, keys))}"


def _safe(text: str) -> str:
    """Names come from anybody's workload; a table cell ends at a bar."""
    return printable(text).replace("|", "\\|")
