"""The anomalies that the answers of a schedule prove, whatever its level (Adya 1999, Berenson et al. 1995).

Only committed transactions count. Each dependency is certain: a read by the value that it saw, a write by the
number of rows that it changed, the order of two writes by the row in the end or by what both have read. What
is not certain is left out, so that an anomaly is a fact, and the lack of one says nothing.

dirty write (G0): two transactions overwrote each other, of which two rows tell in the end.
dirty read (G1a): of a value that an aborted transaction wrote, or one that was taken back, or one whose
    transaction had not yet begun to commit when it was seen.
intermediate read (G1b): of a value that its writer overwrote itself.
circular information flow (G1c): each saw or overwrote what the other wrote.
lost update (P4): two changed a row that both had read as it was before.
read skew (G-single): one saw what the other wrote here, and what was there before it elsewhere; half of a
    transaction in one statement; or by a row that was not there, which is about predicates (PL-3, SI) alone.
write skew (G2-item): a circle with two such reads of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import Ending
from txfuzz.hunt.judging.evidence import Evidence, Read
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import SmallProgram


@dataclass(frozen=True, slots=True)
class Anomaly:
    """story: in a sentence."""

    kind: Wrong
    story: str


def anomalies(program: SmallProgram, attempt: FollowedSchedule) -> tuple[Anomaly, ...]:
    """One of each kind, in the order of Wrong."""
    evidence = Evidence(program, attempt)
    found: dict[Wrong, Anomaly] = {}
    for each in (*_single_reads(evidence), *_Graph(evidence).anomalies()):
        found.setdefault(each.kind, each)
    return tuple(found[kind] for kind in Wrong if kind in found)


def _single_reads(evidence: Evidence) -> Iterator[Anomaly]:
    for read in evidence.reads():
        if read.writer is None:
            continue
        reader, writer = read.statement.transaction, evidence.owners[read.writer]
        row = _row(evidence, read.key)
        form = evidence.uses[read.writer].form
        effects = [each for each in (form.effect, form.other, form.without_other) if each is not None]
        if evidence.endings.get(writer) is Ending.ABORTED:
            yield Anomaly(Wrong.DIRTY_READ, f"{reader} saw {row} as {writer} wrote it, which was aborted.")
        elif not any(change.writes for each in effects for change in (each.absent, each.present)):
            yield Anomaly(Wrong.DIRTY_READ, f"{reader} saw {row} as {writer} wrote it and took it back.")
        elif not evidence.committed(writer):
            continue
        elif any(
            later.transaction == writer and later.number > read.writer for later in evidence.written(read.key)
        ):
            yield Anomaly(
                Wrong.INTERMEDIATE_READ, f"{reader} saw {row} as {writer} wrote it before it wrote it again."
            )
        ended, commit = read.statement.ended, evidence.commits.get(writer)
        if ended is not None and commit is not None and ended < commit and evidence.committed(writer):
            yield Anomaly(Wrong.DIRTY_READ, f"{reader} saw {row} as {writer} wrote it, before its COMMIT.")


def _row(evidence: Evidence, key: int) -> str:
    place = evidence.program.layout.places(len(evidence.program.states))[key]
    return f"row {place.number} of table {place.table}"


@dataclass(frozen=True, slots=True)
class _AntiDependency:
    """reader saw what was there before writer's. latest: no other write is known to be after writer's."""

    reader: str
    writer: str
    read: Read


class _Graph:
    """Dependencies of committed transactions."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._labels = [label for label in evidence.endings if evidence.committed(label)]
        self._writers: dict[int, frozenset[str]] = {}
        self._overwrites: dict[tuple[str, str], int] = {}  # earlier writer, later one → the key
        self._sees: dict[tuple[str, str], Read] = {}  # writer, reader
        self._misses: list[_AntiDependency] = []
        for key in range(len(evidence.program.states)):
            self._writers[key] = frozenset(each.transaction for each in evidence.written(key))
            last = evidence.last_writer(key)
            for label in self._writers[key] if last is not None else ():
                if label != last:
                    assert last is not None
                    self._overwrites.setdefault((label, last), key)
        for read in evidence.reads():
            self._add(read)

    def _add(self, read: Read) -> None:
        reader, writers = read.statement.transaction, self._writers[read.key]
        seen = None if read.writer is None else self._evidence.owners[read.writer]
        if seen is not None:
            if not self._evidence.committed(seen):
                return
            self._sees.setdefault((seen, reader), read)
            last = self._evidence.last_writer(read.key)
            writers = (
                frozenset({last}) if last is not None and (seen, last) in self._overwrites else frozenset()
            )
        for writer in writers - {reader, seen}:
            self._misses.append(_AntiDependency(reader, writer, read))

    def _reaches(self, one: str, other: str, edges: set[tuple[str, str]]) -> bool:
        return any(
            all(edge in edges for edge in pairwise(path))
            for number in range(len(self._labels) - 1)
            for between in permutations([each for each in self._labels if each not in (one, other)], number)
            for path in [(one, *between, other)]
        )

    def anomalies(self) -> Iterator[Anomaly]:
        overwrites, sees = set(self._overwrites), set(self._sees)
        for one, other in permutations(self._labels, 2):
            if (one, other) in overwrites and self._reaches(other, one, overwrites):
                yield Anomaly(Wrong.DIRTY_WRITE, f"{one} and {other} each overwrote what the other wrote.")
            elif (one, other) in overwrites | sees and self._reaches(other, one, overwrites | sees):
                yield Anomaly(
                    Wrong.CIRCULAR_INFORMATION,
                    f"{one} and {other} each saw or overwrote what the other wrote.",
                )
        found = [each for miss in self._misses for each in self._of_one_miss(miss, overwrites | sees)]
        yield from found or self._write_skew(overwrites | sees)

    def _of_one_miss(self, miss: _AntiDependency, edges: set[tuple[str, str]]) -> Iterator[Anomaly]:
        reader, writer, key = miss.reader, miss.writer, miss.read.key
        row = _row(self._evidence, key)
        both = {reader, writer} <= self._writers[key]
        as_before = miss.read.writer is None and miss.read.seen
        other = next(
            (
                each
                for each in self._misses
                if (each.reader, each.writer, each.read.key) == (writer, reader, key)
            ),
            None,
        )
        if both and as_before and other is not None and other.read.writer is None and other.read.seen:
            yield Anomaly(
                Wrong.LOST_UPDATE,
                f"{reader} and {writer} both saw {row} as it was at first, and both changed it.",
            )
        elif both and as_before and self._overwrites.get((writer, reader)) == key:
            yield Anomaly(
                Wrong.LOST_UPDATE, f"{reader} changed {row}, of which it did not see {writer}'s change."
            )
        elif self._reaches(writer, reader, edges):
            seen = self._sees.get((writer, reader))
            over = self._overwrites.get((writer, reader))
            where = f", but {_row(self._evidence, seen.key)} as {writer} left it" if seen is not None else ""
            if seen is None and over is not None:
                where = f", but changed {_row(self._evidence, over)} after it"
            kind = Wrong.READ_SKEW if miss.read.seen else Wrong.PHANTOM_SKEW
            if seen is not None and miss.read.seen and self._half_seen(miss):
                kind = Wrong.HALF_SEEN
            yield Anomaly(kind, f"{reader} saw {row} as it was before {writer}{where}.")

    def _half_seen(self, miss: _AntiDependency) -> bool:
        """In one statement."""
        owners = self._evidence.owners
        return len(miss.read.statement.answers) == 1 and any(
            read.statement == miss.read.statement
            and read.writer is not None
            and owners[read.writer] == miss.writer
            for read in self._evidence.reads()
        )

    def _write_skew(self, edges: set[tuple[str, str]]) -> Iterator[Anomaly]:
        misses = {(each.reader, each.writer) for each in self._misses if each.read.seen}
        for one, other in sorted(misses):
            if self._reaches(other, one, edges | misses) and not self._reaches(other, one, edges):
                yield Anomaly(
                    Wrong.WRITE_SKEW, f"{one} and {other} each saw rows as they were before the other."
                )
