"""Evaluates a history, recorded by another program, of a schedule that it was to follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from txfuzz.analysis.checker.check import check
from txfuzz.analysis.dependencies.edges import KINDS, Dependencies
from txfuzz.history.model import FAIL, INFO, OK, History
from txfuzz.replay.judge import Judgement
from txfuzz.replay.result import ReplayResult, has_appeared, has_closed
from txfuzz.workload.model import Workload
from txfuzz.workload.replay import Replay

_OUTCOMES = {OK: "ok", FAIL: "fail", INFO: "info"}


def result_of(history: History, workload: Workload, expect: str, isolation: str) -> ReplayResult:
    """The history as one attempt at the workload's schedule.

    Transactions are matched by name: if two aliases run the same transaction, each of its operations
    counts for both. A history does not show how steps interleaved, so divergences are not reported.
    """
    replay = workload.replay
    assert replay is not None
    checked = check(history, expect)
    edges = () if checked.dependencies is None else _edges(checked.dependencies.unfolded(), replay)
    judgement = Judgement(checked.anomaly_types, checked.all_types, frozenset(edges), {})
    aliases = _aliases(history, replay)
    outcomes: dict[str, Counter[str]] = {each.alias: Counter() for each in replay.transactions}
    for row, names in enumerate(aliases):
        for alias in names:
            outcomes[alias][_OUTCOMES[int(history.type[row])]] += 1
    return ReplayResult(
        attempts=1,
        closed=int(has_closed(replay, judgement)),
        expect=expect,
        isolation=isolation,
        focus_key=replay.focus_key,
        missing=replay.missing,
        anomaly=replay.anomaly,
        appeared=None if replay.missing is None else int(has_appeared(replay, judgement)),
        violated=int(bool(judgement.types)),
        anomalies=dict.fromkeys(judgement.all_types, 1),
        outcomes=outcomes,
        committed=int((history.type == OK).sum()),
    )


def _aliases(history: History, replay: Replay) -> list[tuple[str, ...]]:
    """For each row, the aliases that it may belong to."""
    by_name: dict[str, tuple[str, ...]] = {}
    for each in replay.transactions:
        by_name[each.txn] = (*by_name.get(each.txn, ()), each.alias)
    named = [by_name.get(name, ()) for name in history.templates]
    return [named[at] if at >= 0 else () for at in history.template.tolist()]


def _edges(found: Dependencies, replay: Replay) -> Iterator[tuple[str, str, str, int]]:
    history = found.history
    aliases = _aliases(history, replay)
    columns = (found.kind, found.source, found.target, found.key)
    for kind, source, target, key in zip(*(column.tolist() for column in columns), strict=True):
        logical = history.logical[key]
        if logical is None:
            continue
        for one in aliases[source]:
            for other in aliases[target]:
                if one != other:
                    yield KINDS[kind], one, other, logical
