"""Sessions that play directed schedules while the clients run.

The members of a team are clients of the run as any other: their transactions are recorded in the same
history, under processes of their own, count for its limits, and use the open generations of the same keys.
Only their steps come in the order of a schedule.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from txfuzz.database.api import Database, SeesWaits, Session, SessionError
from txfuzz.errors import TxfuzzError
from txfuzz.execution.barrier import Barrier, Condition
from txfuzz.execution.client import Client
from txfuzz.execution.directed.moments import Moments
from txfuzz.execution.directed.turns import Turns
from txfuzz.execution.pace import Pace
from txfuzz.execution.summary import Play
from txfuzz.execution.transaction import TransactionEnd
from txfuzz.execution.transaction_source import TransactionSource
from txfuzz.workload.directed import DirectedSchedule, misfit
from txfuzz.workload.generator import BoundTransaction, Generations, TogetherGenerator
from txfuzz.workload.model import Scheduling, Workload
from txfuzz.workload.seeds import stream


class _Part(NamedTuple):
    """What is played: a schedule of the workload that fits its transactions."""

    number: int
    size: int
    order: tuple[tuple[int, int], ...]
    generator: TogetherGenerator


@dataclass
class _Playing:
    """A play under way. ran, ends: by place, as they begin and end."""

    number: int
    transactions: tuple[BoundTransaction, ...]
    turns: Turns
    ran: dict[int, tuple[int, int]]
    ends: dict[int, TransactionEnd]


def playable(workload: Workload) -> list[int]:
    """The places of the directed schedules that can be played: that fit its transactions and its sessions."""
    transactions = {each.name: each for each in workload.transactions}
    return [
        place
        for place, each in enumerate(workload.directed)
        if len(each.transactions) <= workload.scheduling.directed and not misfit(each, transactions)
    ]


def team_size(workload: Workload) -> int:
    """The number of sessions that play: as many as the largest schedule needs. One team plays all schedules
    in turn, since two on the same keys would only be in each other's way."""
    return max((len(workload.directed[place].transactions) for place in playable(workload)), default=0)


def _parts(workload: Workload, keys: Generations) -> list[_Part]:
    transactions = {each.name: each for each in workload.transactions}

    def part(place: int, schedule: DirectedSchedule) -> _Part:
        of = [(transactions[each.txn], each.keys) for each in schedule.transactions]
        steps = {each.alias: len(transactions[each.txn].steps) for each in schedule.transactions}
        draws = stream(workload.seed, "directed endpoints", place)
        together = TogetherGenerator(of, keys, draws, workload.database.endpoints)
        return _Part(place, len(of), schedule.order(steps), together)

    return [part(place, workload.directed[place]) for place in playable(workload)]


class Team:
    """A few clients that play one directed schedule after another, until the source is exhausted."""

    def __init__(
        self,
        members: Sequence[Client],
        workload: Workload,
        keys: Generations,
        database: Database,
        moments: Moments | None = None,
    ) -> None:
        self.members = members
        self.plays: list[Play] = []
        self._parts = _parts(workload, keys)
        self._sees = database if isinstance(database, SeesWaits) else None
        self._moments = moments
        self._done: Counter[int] = Counter()  # transactions by process
        self._playing: _Playing | None = None
        self._claimed = 0
        self.gather(None)

    def gather(self, condition: Callable[[], Condition] | None) -> None:
        """How its members wait for each other: by a condition of the scheduler whose thread they share."""
        make = threading.Condition if condition is None else condition
        self._changed: Condition = make()
        self._barrier = Barrier(len(self.members), make())

    def play(self, place: int, source: TransactionSource, draws: Random) -> None:
        """Play the part of one member. Raises the TxfuzzError that ends the whole run."""
        client = self.members[place]
        pace = TurnPace(place, draws, client.sleeper(source), self._moments, lambda: source.stopped)
        number = 0
        try:
            while (playing := self._next(number, source)) is not None:
                number += 1
                if place < len(playing.transactions):
                    self._play(playing, place, client, pace, source)
        finally:
            client.note_levels()
            self._barrier.leave()

    def _play(
        self, playing: _Playing, place: int, client: Client, pace: TurnPace, source: TransactionSource
    ) -> None:
        transaction = playing.transactions[place]
        try:
            playing.turns.await_turn(place, 0)
            pace.begin(playing.turns, transaction)
            process = client.process
            ended = client.play(transaction, pace, source)
            if ended is not None:
                playing.ran[place] = (process, self._done[process])
                playing.ends[place] = ended
                self._done[process] += 1
        finally:
            playing.turns.ended(place)

    def _next(self, number: int, source: TransactionSource) -> _Playing | None:
        """The play of this number, once all have played their part of the one before."""
        self._barrier.wait_for_all()
        with self._changed:
            if self._claimed == number:  # the first one here
                self._claimed += 1
                self._note(source)
                part = self._parts[number % len(self._parts)]
                self._playing = source.claim(part.size, lambda: self._begun(part, source))
            return self._playing

    def _begun(self, part: _Part, source: TransactionSource) -> _Playing:
        turns = Turns(part.order, self._changed, self._waiting, lambda: source.stopped)
        return _Playing(part.number, part.generator.next(), turns, {}, {})

    def _note(self, source: TransactionSource) -> None:
        """Keep what came of the last play, unless the end of the run has cut it short."""
        last = self._playing
        if last is None or source.stopped or len(last.ends) < len(last.transactions):
            return
        places = range(len(last.transactions))
        codes = tuple(last.ends[each].code or _word(last.ends[each]) for each in places)
        ran = tuple(last.ran[each] for each in places)
        self.plays.append(Play(last.number, ran, codes, last.turns.waited))

    def _waiting(self) -> Mapping[int, frozenset[int]] | None:
        sessions = {place: each.session for place, each in enumerate(self.members)}
        there: dict[int, Session] = {place: each for place, each in sessions.items() if each is not None}
        if self._sees is None:
            return None
        try:
            waits = self._sees.waiting(list(there.values()))
        except (SessionError, TxfuzzError):
            return None  # the server is away
        places = list(there)
        return {places[at]: frozenset(places[other] for other in others) for at, others in waits.items()}


def _word(ended: TransactionEnd) -> str:
    return "" if ended.type == "ok" else ended.type


class TurnPace(Pace):
    """Goes through a transaction in the turns of a play. moments: at which faults may strike."""

    def __init__(
        self,
        place: int,
        draws: Random,
        sleep: Callable[[float], None],
        moments: Moments | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(Scheduling(sending="stepped"), draws, sleep)
        self._place, self._moments, self._stopped = place, moments, stopped

    def begin(self, turns: Turns, transaction: BoundTransaction) -> None:
        """It is the turn of the first step of this transaction."""
        self._turns = turns
        self._step = 0  # the last one that was sent
        self._writes = [step.step.writes for step in transaction.steps]

    @property
    def thinks(self) -> bool:
        return True

    def before_step(self, *, writes: bool) -> None:
        self._returned()
        self._step += 1
        self._turns.await_turn(self._place, self._step)

    def before_commit(self) -> None:
        self._returned()
        self._turns.await_turn(self._place, len(self._writes))
        self._come_to("commit")

    def _returned(self) -> None:
        self._turns.returned(self._place, self._step)
        if any(self._writes[: self._step + 1]):
            self._come_to("lock")

    def _come_to(self, moment: str) -> None:
        if self._moments is not None:
            self._moments.at(moment, self._draws, self._sleep, self._stopped)
