"""What a history that somebody else recorded says of the schedule that it was to follow."""

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

    Its transactions go by their names: where two of the schedule are the same transaction of the
    workload, each stands for both. How the steps were interleaved a history does not say, so that
    nothing is said of divergences.
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
    """By row: the transactions of the schedule that it can be."""
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
