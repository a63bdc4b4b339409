"""The stepper: issues the steps of a few transactions in the order that a schedule says.

A statement that does not come back at once may wait for a lock. So the stepper asks the database
who waits for whom (txfuzz.database.api.SeesWaits); once every session that is at work is known to
wait, the schedule goes on, and results are collected when they come. What ends a transaction may
let others go, so after it every waiting session is asked for again before anything else is issued:
that is what makes replays repeatable. Where sessions wait in a circle the database has to choose a
victim, and the stepper waits for it.

A database that cannot tell who waits is given `patience`: a statement that has not come back by
then is taken to be waiting. That is slower, and under load it can be wrong.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from txfuzz.database.api import Outcome as Says
from txfuzz.database.api import SessionError
from txfuzz.replay.stepper.attempt import ROLLED_BACK, Attempt, LogEntry, Outcome
from txfuzz.replay.stepper.final_read import final_read
from txfuzz.replay.stepper.recorder import Tape
from txfuzz.replay.stepper.session_threads import Lane, Result
from txfuzz.replay.stepper.statements import Statement, Statements
from txfuzz.workload.generator import Asked
from txfuzz.workload.replay import Replay

_FIRST_LOOK = 150e-6  # seconds before the database is asked for the first time
_LONGEST_LOOK = 5e-3
_OVERTAKEN = 0.05  # seconds by which the answer to a COMMIT may be later than that of one it let go


@dataclass(frozen=True)
class Limits:
    """seconds: of one attempt, all in all. patience: seconds, for databases that cannot tell waits."""

    seconds: float = 10.0
    patience: float = 0.25


@dataclass(frozen=True)
class Ground:
    """On what attempts run. done: where the results of all lanes arrive. stop: set it to break off.

    waiting: which of these lanes wait, and for which others; None where the database cannot tell.
    """

    isolation: str
    limits: Limits
    stop: threading.Event
    done: queue.SimpleQueue[Result]
    waiting: Callable[[list[Lane]], dict[Lane, tuple[Lane, ...]] | None]


class Stepping:
    """One attempt on these lanes."""

    def __init__(
        self, ground: Ground, lanes: dict[str, Lane], asked: Mapping[str, Asked], tape: Tape
    ) -> None:
        self.ground, self.lanes, self.tape = ground, lanes, tape
        self.aliases = {lane: alias for alias, lane in lanes.items()}
        self.statements = {alias: Statements(alias, each, ground.isolation) for alias, each in asked.items()}
        self.log: list[LogEntry] = []
        self.running: dict[Lane, Statement] = {}
        self.held: dict[Lane, deque[tuple[Statement, bool]]] = {lane: deque() for lane in lanes.values()}
        self.waiting: set[Lane] = set()
        self.outcomes: dict[str, Outcome] = {}
        self.order: list[tuple[str, str]] = []
        self.ended = self.refused = ""
        self.until = time.monotonic() + ground.limits.seconds

    def follow(self, replay: Replay) -> Attempt:
        try:
            self._schedule(replay)
            if not self.ended:
                self._finish(replay)
        except BaseException:
            self._cancel()
            raise
        final = () if self.ended else final_read(self.ground, self.lanes, self.tape, self.statements)
        logical = {
            key: name for each in self.statements.values() for key, name in each.logical_keys().items()
        }
        seen = {
            alias: tuple((f, logical.get(key, key), value) for f, key, value in each.progress.mops())
            for alias, each in self.statements.items()
        }
        return Attempt(
            tuple(self.log),
            {alias: self.outcomes[alias] for alias in self.outcomes},
            self.tape.take(),
            seen,
            self.ended,
            self.refused,
            tuple(self.order),
            tuple((f, logical.get(key, key), value) for f, key, value in final),
            logical,
            {alias: each.steps for alias, each in self.statements.items()},
        )

    # -- the schedule ---------------------------------------------------------------------

    def _schedule(self, replay: Replay) -> None:
        for action in replay.actions():
            if self.ended:
                return
            if action.action == "sleep" or action.alias is None:
                self.log.append(LogEntry(action.alias, "sleep", result_after=len(self.log), ms=action.ms))
                self.ground.stop.wait(min(action.ms / 1000, max(0.0, self.until - time.monotonic())))
                self._settle()
                continue
            statements = self.statements[action.alias]
            if action.action != "step":
                self._issue(action.alias, statements.end(action.action))
                continue
            for statement in statements.take(action.steps):
                self._issue(action.alias, statement)

    def _finish(self, replay: Replay) -> None:
        """What the schedule left open, in the order of the transactions."""
        for each in replay.transactions:
            statements = self.statements[each.alias]
            for statement in statements.take(0):
                self._issue(each.alias, statement, added=True)
            if not statements.ending:
                self._issue(each.alias, statements.end("commit"), added=True)
        while self.running and not self.ended:
            self._settle(everything=True)

    def _issue(self, alias: str, statement: Statement, added: bool = False) -> None:
        lane = self.lanes[alias]
        if self.ended or alias in self.outcomes:
            return  # an aborted transaction has no later steps
        if lane in self.running:
            self.held[lane].append((statement, added))
            return
        self._start(lane, statement, added=added)
        self._settle()

    def _start(self, lane: Lane, statement: Statement, *, added: bool = False, held: bool = False) -> None:
        alias = self.aliases[lane]
        if statement.first:
            self.order.append((alias, "begins"))
            statements = self.statements[alias]
            self.tape.invoke(lane.process, statements.asked, statements.mops)
        self.running[lane] = replace(statement, place=len(self.log))
        entry = statement.entry(alias)
        self.log.append(replace(entry, result_after=len(self.log), added=added, held_back=held))
        lane.start(statement.job)

    # -- waiting --------------------------------------------------------------------------

    def _settle(self, *, everything: bool = False) -> None:
        """Until each session has answered or is known to wait. everything: until all have answered."""
        look = _FIRST_LOOK
        patient_until = time.monotonic() + self.ground.limits.patience
        while self.running:
            if not everything and set(self.running) <= self.waiting and self.ground.done.empty():
                return
            try:
                self._in_order(self.ground.done.get(timeout=look))
            except queue.Empty:
                if time.monotonic() > self.until or self.ground.stop.is_set():
                    self._give_up()
                    return
                self._look(patient_until)
                look = min(2 * look, _LONGEST_LOOK)
            else:
                look = _FIRST_LOOK
                patient_until = time.monotonic() + self.ground.limits.patience

    def _look(self, patient_until: float) -> None:
        told = self.ground.waiting([lane for lane in self.lanes.values() if not lane.lost])
        if told is None:
            waits = self.running if time.monotonic() >= patient_until else ()
            told = dict.fromkeys(waits, ())
        if _circle(told):
            return  # the database is about to choose a victim
        self.waiting = {lane for lane in self.running if lane in told}
        for lane in self.waiting:
            self._found_waiting(lane, told[lane])

    def _found_waiting(self, lane: Lane, others: tuple[Lane, ...]) -> None:
        place = self.running[lane].place
        if not self.log[place].blocked:
            aliases = tuple(self.aliases[other] for other in others)
            self.log[place] = replace(self.log[place], blocked=True, waited_for=aliases)

    # -- results --------------------------------------------------------------------------

    def _in_order(self, result: Result) -> None:
        """The answer to a COMMIT comes first, even where that of a session it let go has overtaken it."""
        early: list[Result] = []
        ending = next((lane for lane, each in self.running.items() if each.action != "step"), None)
        while ending is not None and result.lane is not ending and len(early) < len(self.lanes):
            early.append(result)
            try:
                result = self.ground.done.get(timeout=_OVERTAKEN)
            except queue.Empty:
                break  # this COMMIT waits for something itself
        if result in early:
            early.remove(result)
        for each in (result, *early):
            self._collect(each)

    def _collect(self, result: Result) -> None:
        lane = result.lane
        lane.busy = False
        statement = self.running.pop(lane)
        self.waiting.discard(lane)
        if result.crash is not None:
            raise result.crash
        alias = self.aliases[lane]
        changed: dict[str, Any] = {"result_after": len(self.log) - 1}
        if result.error is not None:
            changed |= {"code": result.error.code, "message": " ".join(result.error.message.split())}
            self._failed(lane, alias, statement, result.error)
        elif statement.action == "step":
            changed["saw"] = result.value
        else:
            self._ended(lane, alias, statement.action)
        self.log[statement.place] = replace(self.log[statement.place], **changed)
        if statement.lets_go or result.error is not None:
            self.waiting.clear()
        if self.held[lane] and not self.ended:
            following, added = self.held[lane].popleft()
            self._start(lane, following, added=added, held=True)

    def _ended(self, lane: Lane, alias: str, action: str) -> None:
        statements = self.statements[alias]
        if action == "commit":
            self.outcomes[alias] = Outcome("ok")
            self.tape.complete("ok", lane.process, statements.seen)
        else:
            self.outcomes[alias] = Outcome("fail", ROLLED_BACK, "rollback")
            self.tape.complete("fail", lane.process, statements.undone(), (ROLLED_BACK, "rollback"))
        self.order.append((alias, "ends"))

    def _failed(self, lane: Lane, alias: str, statement: Statement, error: SessionError) -> None:
        unknown = error.outcome is Says.INFO
        lane.lost = lane.lost or error.lost or unknown
        type = "info" if unknown else "fail"
        self.outcomes[alias] = Outcome(type, error.code, statement.phase)
        statements = self.statements[alias]
        self.tape.complete(type, lane.process, statements.undone(statement), (error.code, statement.phase))
        self.order.append((alias, "ends"))
        self.held[lane].clear()
        if error.outcome is Says.BUG and not self.ended:
            message = " ".join(error.message.split())
            self.refused = f"the database refuses {alias} at {statement.phase}: {error.code} {message}"

    # -- the end --------------------------------------------------------------------------

    def _give_up(self) -> None:
        """Say why it cannot go on, and end what is under way."""
        waits = [
            f"{alias} waited at {statement.phase}{self._for_whom(self.log[statement.place])}"
            for alias, lane in self.lanes.items()
            if (statement := self.running.get(lane)) is not None
        ]
        why = (
            "it was interrupted" if self.ground.stop.is_set() else f"{self.ground.limits.seconds:g} s went by"
        )
        self.ended = f"the schedule could not go on: {why} while {', '.join(waits)}"
        self._cancel()

    def _for_whom(self, entry: LogEntry) -> str:
        if not entry.blocked or self.ground.waiting([]) is None:
            return ""
        return f" for {' and '.join(entry.waited_for) or 'somebody else'}"

    def _cancel(self) -> None:
        """End every transaction that is open; what does not answer is given up with its session."""
        self.ended = self.ended or "the schedule was broken off"
        for lane in self.running:
            lane.session.cancel()
        until = time.monotonic() + 2.0
        while self.running and time.monotonic() < until:
            try:
                self._collect(self.ground.done.get(timeout=0.1))
            except queue.Empty:
                continue
            except BaseException:
                continue  # the first failure is the one that is told
        for lane in self.running:
            lane.lost = True
        for alias, lane in self.lanes.items():
            begun = (alias, "begins") in self.order
            if begun and alias not in self.outcomes:
                error = ("INTERRUPTED", "schedule")
                unknown = lane in self.running
                if not unknown:
                    lane.session.rollback()
                self.outcomes[alias] = Outcome("info" if unknown else "fail", *error)
                mops = self.statements[alias].undone()
                self.tape.complete("info" if unknown else "fail", lane.process, mops, error)


def _circle(waits: Mapping[Lane, tuple[Lane, ...]]) -> bool:
    """Does somebody wait for himself, by way of others?"""
    left = {lane: set(others) & set(waits) for lane, others in waits.items()}
    while free := [lane for lane, others in left.items() if not others & set(left)]:
        for lane in free:
            del left[lane]
    return bool(left)
