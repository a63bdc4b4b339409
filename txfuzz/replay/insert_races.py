"""Concurrent inserts of the same row, which replays run into when their rows do not exist yet."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.common.sentences import listed
from txfuzz.replay.stepper.attempt import Attempt, LogEntry, named
from txfuzz.workload.sql.tables import tables_of

_INSERTS = frozenset({"insert", "merge", "replace", "upsert"})  # first words of SQL that may insert


def insert_races(attempt: Attempt) -> tuple[str, ...]:
    """Sentences about statements that waited or failed because another session inserted the same row.

    attempt: one with fresh rows, which do not exist before the first write.
    """
    begins: dict[str | None, int] = {}
    for place, entry in enumerate(attempt.log):
        begins.setdefault(entry.alias, place)
    commits = {
        entry.alias: entry.result_after
        for entry in attempt.log
        if entry.action == "commit" and not entry.code
    }
    sentences = []
    for place, late in enumerate(attempt.log):
        if not _adds(late) or not (late.blocked or late.code):
            continue
        others = [
            entry
            for entry in attempt.log[:place]
            if _adds(entry) and not entry.code and entry.logical == late.logical and entry.alias != late.alias
        ]
        if any(commits.get(entry.alias, place) < begins[late.alias] for entry in others):
            continue  # the row existed
        rivals = [each for each in others if not late.waited_for or each.alias in late.waited_for]
        if rivals:
            sentences.append(
                f"{rivals[0].alias} and {late.alias} both insert the row for key {late.logical}, which "
                f"neither finds: {late.alias} {listed(_what_came(late))} at {named(late)}. With "
                "keys: {rows: inserted} the row exists beforehand, and neither has to insert it"
            )
    return tuple(dict.fromkeys(sentences))


def _adds(entry: LogEntry) -> bool:
    """Does this step insert the row that it writes if there is none?"""
    if entry.mop is None or entry.mop[0] == "r":
        return False
    return entry.sql is None or tables_of(entry.sql).verb in _INSERTS


def _what_came(entry: LogEntry) -> Iterator[str]:
    if entry.blocked:
        yield "had to wait"
    if entry.code:
        yield f"failed ({entry.code})"
