"""What a campaign can be made of: a workload to fuzz, and histories that belong to it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from txfuzz.analysis.attribution.attribute import Attribution, attribute
from txfuzz.analysis.describe import mop_text, name_of
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError
from txfuzz.history.model import FINAL_READ, History
from txfuzz.report.text.lines import counted
from txfuzz.workload.model import Workload

_NAMED = 5


def refuse_replay(workload: Workload, path: Path) -> None:
    """UsageError for a schedule that is to be followed: a campaign would fuzz its transactions instead."""
    if workload.replay is not None and workload.replay.enabled:
        raise UsageError(
            f"{path}: is a replay: `txfuzz execute --config {shlex.quote(str(path))} --out FILE` follows it; "
            "with `enabled: false` in its `replay` stanza its transactions are fuzzed instead"
        )


def check_kind(history: History, workload: Workload) -> None:
    """UsageError for a history of lists where the workload makes one of registers, or the other way round."""
    if history.kind is not None and history.kind is not workload.kind:
        raise UsageError(
            f"{history.source}: is a history of {history.kind.value}, and the workload {workload.name!r} "
            f"makes histories of {workload.kind.value}"
        )


def check_made_by(history: History, workload: Workload) -> None:
    """UsageError for a history that this workload cannot have made, so that it says nothing about it."""
    check_kind(history, workload)
    if sentence := impossible(attribute(history, workload), workload):
        raise UsageError(sentence)


def impossible(found: Attribution, workload: Workload) -> str | None:
    """Why the workload cannot have made the history; None where it can."""
    history = found.history
    if not found.strangers:
        return None
    named = [name for name in history.templates if name != FINAL_READ]
    if named and {each.name for each in workload.transactions}.isdisjoint(named):
        return (
            f"{history.source}: is a history of {_some(named)}, none of which the workload "
            f"{workload.name!r} has"
        )
    return (
        f"{history.source}: cannot be a history of the workload {workload.name!r}: "
        f"{_transaction(history, found.strangers[0])} is none of its transactions "
        f"({_some([each.name for each in workload.transactions])})"
        + _others(", nor {are} {count} of the {of} others", found.strangers, history)
    )


def doubt(found: Attribution, workload: Workload) -> str | None:
    """Why the history says nothing about the database that the workload is for: the workload cannot have
    made it, or only with other keys; None where it can."""
    if found.strangers:
        return impossible(found, workload)
    if not found.elsewhere:
        return None
    history = found.history
    return (
        f"{history.source}: {_transaction(history, found.elsewhere[0])} is on keys that the workload "
        f"{workload.name!r} does not choose there"
        + _others(", and so {are} {count} of the {of} others", found.elsewhere, history)
        + " (a runner with keys of its own says in `:logical` which of the workload's they are)"
    )


def attribute_to_first(history: History, workloads: Sequence[Workload]) -> tuple[Attribution, str | None]:
    """The history in terms of the first of these workloads that can have made it; where none can, in those
    of the first one, and why. Histories that were there beforehand were not made by what the feedback has
    narrowed since, so that they may be the campaign's first workload's."""
    found = [attribute(history, workload) for workload in workloads]
    doubts = [doubt(each, workload) for each, workload in zip(found, workloads, strict=True)]
    fits = next((at for at, doubted in enumerate(doubts) if doubted is None), 0)
    return found[fits], doubts[fits]


def remarks(found: Attribution) -> Iterator[str]:
    """What was taken for what, and what cannot be told of a history as it is."""
    history = found.history
    if len(history) and (history.invoke_at < 0).all():
        yield (
            "no operation of the history is an invocation, so that nobody knows which transactions "
            "overlapped: there can be no near-cycles"
        )
    if found.unnamed and not found.strangers:
        counts = Counter(history.templates[at] for at in history.template.tolist() if at >= 0)
        shown = [f"{name} {count:,}" for name, count in counts.most_common(_NAMED)]
        shown += [f"{len(counts) - _NAMED} more"] if len(counts) > _NAMED else []
        yield f"transactions told by what they did (no `:txn`): {', '.join(shown) or 'none'}"
    if found.apart:
        yield (
            f"{counted(found.apart, 'transaction')} before or after all others, or without micro-operations, "
            "stayed without a name: no replay is about them"
        )
    for names, count in list(found.ambiguous.items())[:_NAMED]:
        yield (
            f"{counted(count, 'transaction')} could be {listed(names, 'or')}, and each was taken for the "
            "likelier one"
        )


def _transaction(history: History, row: int) -> str:
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    text = " ".join(mop_text(history, mop) for mop in mops[:_NAMED])
    more = " …" if len(mops) > _NAMED else ""
    template = int(history.template[row])
    name = f", {history.templates[template]}" if template >= 0 else ""
    return f"transaction {name_of(history, row)}{name} ({text}{more})"


def _others(text: str, rows: Sequence[int], history: History) -> str:
    count = len(rows) - 1
    if not count:
        return ""
    return text.format(are="is" if count == 1 else "are", count=f"{count:,}", of=f"{len(history) - 1:,}")


def _some(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return listed([*names[:_NAMED], *more])
