"""Checks that a workload can be fuzzed, and that a history belongs to it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from txfuzz.analysis.attribution.attribute import Attribution, attribute
from txfuzz.analysis.describe import mop_text, name_of
from txfuzz.common.sentences import counted, listed
from txfuzz.errors import UsageError
from txfuzz.history.model import FINAL_READ, History
from txfuzz.workload.model import Workload

_NAMED = 5


def refuse_replay(workload: Workload, path: Path) -> None:
    """UsageError for an enabled replay: a campaign would fuzz its transactions instead of following it."""
    if workload.replay is not None and workload.replay.enabled:
        raise UsageError(
            f"{path}: is a replay: run it with `txfuzz execute {shlex.quote(str(path))} --out FILE`,"
            " or set `enabled: false` in its `replay` stanza to fuzz its transactions"
        )


def check_kind(history: History, workload: Workload) -> None:
    """UsageError for a history of lists if the workload is about registers, or vice versa."""
    if history.kind is not None and history.kind is not workload.kind:
        raise UsageError(
            f"{history.source}: is a history of {history.kind.value}, but the workload {workload.name!r} "
            f"makes histories of {workload.kind.value}"
        )


def check_made_by(history: History, workload: Workload) -> None:
    """UsageError for a history that this workload cannot have made."""
    check_kind(history, workload)
    if sentence := impossible(attribute(history, workload), workload):
        raise UsageError(sentence)


def impossible(found: Attribution, workload: Workload) -> str | None:
    """Why the workload cannot have made the history; None if it can."""
    history = found.history
    if not found.strangers:
        return None
    named = [name for name in history.templates if name != FINAL_READ]
    if named and {each.name for each in workload.transactions}.isdisjoint(named):
        return (
            f"{history.source}: is a history of {listed(named, most=_NAMED)}, none of which the workload "
            f"{workload.name!r} has"
        )
    return (
        f"{history.source}: cannot be a history of the workload {workload.name!r}: "
        f"{_transaction(history, found.strangers[0])} is not one of its transactions "
        f"({listed((each.name for each in workload.transactions), most=_NAMED)})"
        + _others(", nor {are} {count} of the {of} others", found.strangers, history)
    )


def doubt(found: Attribution, workload: Workload) -> str | None:
    """Why the history says nothing about the workload's database: the workload cannot have made it, or
    only with other keys. None if it can."""
    if found.strangers:
        return impossible(found, workload)
    if not found.elsewhere:
        return None
    history = found.history
    return (
        f"{history.source}: {_transaction(history, found.elsewhere[0])} uses keys that the workload "
        f"{workload.name!r} does not choose there"
        + _others(", as {do} {count} of the {of} others", found.elsewhere, history)
        + " (a runner with its own keys must give the workload's keys in `:logical`)"
    )


def attribute_to_first(history: History, workloads: Sequence[Workload]) -> tuple[Attribution, str | None]:
    """The history in terms of the first of these workloads that can have made it. If none can, in terms of
    the first one, with the reason. Existing histories may have been made by the campaign's first workload
    rather than by one that feedback has narrowed since."""
    found = [attribute(history, workload) for workload in workloads]
    doubts = [doubt(each, workload) for each, workload in zip(found, workloads, strict=True)]
    fits = next((at for at, doubted in enumerate(doubts) if doubted is None), 0)
    return found[fits], doubts[fits]


def remarks(found: Attribution) -> Iterator[str]:
    """How transactions were recognised, and what the history does not tell."""
    history = found.history
    if len(history) and (history.invoke_at < 0).all():
        yield (
            "the history has no invocations, so it is unknown which transactions overlapped, and near-cycles "
            "cannot be found"
        )
    if found.unnamed and not found.strangers:
        counts = Counter(history.templates[at] for at in history.template.tolist() if at >= 0)
        shown = [f"{name} {count:,}" for name, count in counts.most_common(_NAMED)]
        shown += [f"{len(counts) - _NAMED} more"] if len(counts) > _NAMED else []
        yield f"transactions recognised by what they did (no `:txn`): {', '.join(shown) or 'none'}"
    if found.apart:
        yield (
            f"{counted(found.apart, 'transaction')} before or after all others, or without micro-operations, "
            "could not be named and will not be replayed"
        )
    for names, count in list(found.ambiguous.items())[:_NAMED]:
        yield (
            f"{counted(count, 'transaction')} could be {listed(names, 'or')}; each was taken for the "
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
    do, are = ("does", "is") if count == 1 else ("do", "are")
    return text.format(do=do, are=are, count=f"{count:,}", of=f"{len(history) - 1:,}")
