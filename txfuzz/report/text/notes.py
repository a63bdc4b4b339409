"""notes.md of an iteration: what happened, what changes next and why, with the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.near_cycles.pursuit import Pursuit
from txfuzz.analysis.result import AnalysisResult, Anomaly, TransactionView, Verdict
from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import counted, listed, weighted
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.feedback.targets.target import keys_in_words
from txfuzz.report.finding import most_telling
from txfuzz.report.text.near_cycle_notes import hope, near_misses, pursued_text, pursuit_ahead
from txfuzz.report.verdict import verdict_sentence
from txfuzz.workload.database.endpoints import level_words
from txfuzz.workload.model import Workload

_NAMED = 12  # transactions of an anomaly


def notes_text(
    number: int,
    workload: Workload,
    result: AnalysisResult,
    decisions: Sequence[Adjustment],
    *,
    promised: str | None = None,
    replayed: AnalysisResult | None = None,
    remarks: Iterable[str] = (),
    pursued: Pursuit | None = None,
    blind: bool = False,
) -> str:
    """The page of iteration `number`, as Markdown.

    decisions: what the feedback changes for the next iteration. replayed: the analysis of its replays, if
    they alone contradict the expected model. remarks: further sentences. pursued: what became of the
    near-cycle that the previous iteration left. blind: no feedback pursues one.
    """
    ahead = None if blind else pursuit_ahead(result, workload, decisions)
    parts = [
        f"# {markdown(workload.name)}, iteration {number}",
        _asked(workload),
        f"## What was seen\n\n{_seen(workload, result, promised)}",
        *([] if pursued is None else [_sentence(pursued_text(pursued))]),
        *([] if replayed is None else [_replayed(number, workload, replayed, promised)]),
        f"## What nearly happened\n\n{near_misses(result)}",
        *([] if ahead is None else [ahead]),
        f"## What changes next\n\n{_changes(workload, result, decisions)}",
    ]
    told = [f"- {markdown(remark)}" for remark in remarks]
    if told:
        parts.append("## Remarks\n\n" + "\n".join(told))
    return "\n\n".join(parts) + "\n"


def _asked(workload: Workload) -> str:
    scheduling = workload.scheduling
    much = (
        counted(scheduling.transactions, "transaction")
        if scheduling.transactions is not None
        else f"{scheduling.duration:g} seconds"
    )
    total = sum(weight.weight for weight in workload.mix)
    weights = {each.txn: each.weight for each in workload.mix}
    mix = listed(weighted(weights, lambda name, weight: f"{markdown(name)} {weight / total:.0%}"))
    barrier = (
        f" that meet at a barrier every {counted(scheduling.barrier_every, 'transaction')},"
        if scheduling.barrier_every
        else ""
    )
    level = markdown(workload.database.isolation or "an unknown isolation level")
    return (
        f"Workload: {much} from {counted(scheduling.clients, 'client')}{barrier} on "
        f"{keys_in_words(workload.logical_keys())} at {level}. Mix: {mix}. Seed: {workload.seed}."
    )


def _seen(workload: Workload, result: AnalysisResult, promised: str | None) -> str:
    counts = result.edge_counts
    sentences = [
        verdict_sentence(result, level_words(workload), promised),
        f"{result.committed:,} of {counted(result.transactions, 'transaction')} committed, "
        f"{result.failed:,} failed, {result.unknown:,} unknown.",
    ]
    if result.verdict is not Verdict.UNKNOWN or any(counts.values()):
        sentences.append(
            f"Dependencies: {counts.get('wr', 0):,} wr, {counts.get('ww', 0):,} ww and "
            f"{counts.get('rw', 0):,} rw edges, which is {result.edges_per_txn:.2f} dependent pairs per "
            f"transaction, {result.concurrent_edges_per_txn:.2f} of them between transactions that "
            "overlapped in time."
        )
    if result.key_pressure:
        hardest = result.key_pressure[0]
        sentences.append(
            f"The hottest key of the workload is {hardest.key}, with {counted(hardest.reads, 'read')}, "
            f"{counted(hardest.writes, 'write')} and {counted(hardest.concurrent_edges, 'concurrent edge')}."
        )
    return "\n\n".join(
        [" ".join(markdown(sentence) for sentence in sentences), *leading_anomaly(result, promised)]
    )


def _replayed(number: int, workload: Workload, replayed: AnalysisResult, promised: str | None) -> str:
    """What only the replay showed."""
    said = markdown(verdict_sentence(replayed, level_words(workload), promised))
    head = f"## What the replay of iteration {number} showed\n\n{said}"
    return "\n\n".join([head, *leading_anomaly(replayed, promised)])


def leading_anomaly(result: AnalysisResult, promised: str | None) -> list[str]:
    """The most telling anomaly: its headline, its transactions by name, and the reason for each edge."""
    anomaly = most_telling(result, promised)
    if anomaly is None:
        return []
    named = [f"- T{at} is {_transaction(view)}" for at, view in enumerate(anomaly.transactions, 1)]
    more = len(named) - _NAMED
    if more > 0:
        named = [*named[:_NAMED], f"- and {counted(more, 'more transaction')}"]
    told = [f"> {markdown(edge.why)}  " for edge in anomaly.edges] or [f"> {markdown(anomaly.explanation)}"]
    head = f"**{markdown(headline(anomaly))}**"
    return ["\n".join([head, "", *named]), "\n".join(told), *_generations(anomaly)]


def _transaction(view: TransactionView) -> str:
    name = "" if view.template is None else f"{view.template}, "
    return markdown(f"transaction {view.index} of the history ({name}process {view.process})")


def _generations(anomaly: Anomaly) -> list[str]:
    """Which keys of the workload the keys in the history belong to."""
    logical = {
        edge.key: edge.logical_key
        for edge in anomaly.edges
        if edge.logical_key is not None and edge.logical_key != edge.key
    }
    if not logical:
        return []
    named = listed(f"{key} of key {name}" for key, name in logical.items())
    return [markdown(f"Keys in the history are generations of the workload's keys: {named}.")]


def _changes(workload: Workload, result: AnalysisResult, decisions: Sequence[Adjustment]) -> str:
    if not decisions:
        return "Nothing: the next iteration runs the same workload with other random choices."
    return "\n".join(f"- {changed_text(each)}{hope(result, workload, decisions, each)}" for each in decisions)


def changed_text(decision: Adjustment) -> str:
    """A decision as a sentence of Markdown."""
    return f"**{markdown(decision.heuristic)}** " + markdown(
        f"changes {_difference(decision)}, because {decision.reason}."
    )


def _difference(decision: Adjustment) -> str:
    target = TARGETS.get(decision.target)
    if target is not None and target.difference is not None:
        return target.difference(decision.before, decision.after)
    before, after = (value_text(value, decision.target) for value in (decision.before, decision.after))
    return f"{target_text(decision.target)} from {before} to {after}"


def _sentence(text: str) -> str:
    return markdown(f"{text[0].upper()}{text[1:]}.")


def target_text(target: str) -> str:
    """What a decision changes; the bare name if it is another plugin's."""
    return TARGETS[target].noun if target in TARGETS else target


def value_text(value: Any, target: str = "") -> str:
    """The value before or after a decision. target: what has the value."""
    known = TARGETS.get(target)
    if known is not None and known.words is not None:
        return known.words(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | range):
        return keys_in_words(value)
    if isinstance(value, Mapping):
        if target == "mix" and value:
            return listed(weighted(value, lambda name, weight: f"{name} {_weight(weight)}"))
        return listed(f"{name} {_weight(weight)}" for name, weight in value.items()) if value else "nothing"
    return str(value)


def _weight(weight: Any) -> str:
    return f"{weight:.3g}" if isinstance(weight, int | float) else str(weight)
