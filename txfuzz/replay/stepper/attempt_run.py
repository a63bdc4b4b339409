"""One attempt: issues the steps of a few transactions in the order of a schedule.

A statement that does not return at once may be waiting for a lock. The stepper therefore asks the database
who waits for whom (txfuzz.database.api.SeesWaits); once every busy session is known to wait, the schedule
continues, and results are collected when they arrive. The end of a transaction may release others, so all
waiting sessions are checked again before the next statement: this makes replays repeatable. When sessions
wait in a cycle, the stepper waits until the database has chosen a victim.

If the database cannot tell who waits, a statement that takes longer than `Limits.wait_seconds` is assumed to
wait. This is slower, and can be wrong under load.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from txfuzz.common.sentences import listed
from txfuzz.database.api import Outcome, SessionError
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.attempt import ROLLED_BACK, Attempt, LogEntry, TransactionOutcome
from txfuzz.replay.stepper.final_read import final_read
from txfuzz.replay.stepper.logical_keys import renamed
from txfuzz.replay.stepper.recorder import AttemptRecorder
from txfuzz.replay.stepper.session_threads import AttemptContext, SessionAnswer, SessionThread
from txfuzz.replay.stepper.statements import Statement, Statements
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.replay import Replay

_FIRST_POLL = 150e-6  # seconds before the first poll for lock waits
_LONGEST_POLL = 5e-3
_OVERTAKEN = 0.05  # seconds that the result of a COMMIT may lag behind that of a session it released


class AttemptRun:
    """One attempt on these sessions."""

    def __init__(
        self,
        context: AttemptContext,
        threads: dict[str, SessionThread],
        transactions: Mapping[str, BoundTransaction],
        recorder: AttemptRecorder,
    ) -> None:
        self.context, self.threads, self.recorder = context, threads, recorder
        self.aliases = {thread: alias for alias, thread in threads.items()}
        self.statements = {
            alias: Statements(alias, each, context.isolation) for alias, each in transactions.items()
        }
        self.log: list[LogEntry] = []
        self.running: dict[SessionThread, Statement] = {}
        self.held: dict[SessionThread, deque[tuple[Statement, bool]]] = {
            thread: deque() for thread in threads.values()
        }
        self.waiting: set[SessionThread] = set()
        self.outcomes: dict[str, TransactionOutcome] = {}
        self.order: list[tuple[str, str]] = []
        self.ended = self.refused = ""
        self.until = time.monotonic() + context.limits.attempt_seconds

    def run(self, replay: Replay) -> Attempt:
        try:
            self._schedule(replay)
            if not self.ended:
                self._finish(replay)
        except BaseException:
            self._cancel()
            raise
        final: tuple[Mop, ...] = ()
        if not self.ended:
            mode = self.context.final_mode
            final = final_read(self.context, self.threads, self.recorder, self.statements, mode)
        logical = {
            key: name for each in self.statements.values() for key, name in each.logical_keys().items()
        }
        seen = {
            alias: tuple(renamed(mop.mop, logical) for mop in each.run.seen)
            for alias, each in self.statements.items()
        }
        return Attempt(
            tuple(self.log),
            dict(self.outcomes),
            self.recorder.take(),
            seen,
            self.ended,
            self.refused,
            tuple(self.order),
            tuple(renamed(mop, logical) for mop in final),
            logical,
            {alias: tuple(each.run.steps) for alias, each in self.statements.items()},
        )

    # -- the schedule ---------------------------------------------------------------------

    def _schedule(self, replay: Replay) -> None:
        for action in replay.actions():
            if self.ended:
                return
            if action.action == "sleep" or action.alias is None:
                self.log.append(LogEntry(action.alias, "sleep", result_after=len(self.log), ms=action.ms))
                self.context.stop.wait(min(action.ms / 1000, max(0.0, self.until - time.monotonic())))
                self._settle()
                continue
            statements = self.statements[action.alias]
            if action.action != "step":
                self._issue(action.alias, statements.end(action.action))
                continue
            for statement in statements.take(action.steps):
                self._issue(action.alias, statement)

    def _finish(self, replay: Replay) -> None:
        """Complete unfinished transactions, in order."""
        for each in replay.transactions:
            statements = self.statements[each.alias]
            for statement in statements.take(0):
                self._issue(each.alias, statement, added=True)
            if not statements.ending:
                self._issue(each.alias, statements.end("commit"), added=True)
        while self.running and not self.ended:
            self._settle(everything=True)

    def _issue(self, alias: str, statement: Statement, added: bool = False) -> None:
        thread = self.threads[alias]
        if self.ended or alias in self.outcomes:
            return  # an aborted transaction has no later steps
        if thread in self.running:
            self.held[thread].append((statement, added))
            return
        self._start(thread, statement, added=added)
        self._settle()

    def _start(
        self, thread: SessionThread, statement: Statement, *, added: bool = False, held: bool = False
    ) -> None:
        alias = self.aliases[thread]
        if statement.first:
            self.order.append((alias, "begins"))
            statements = self.statements[alias]
            self.recorder.invoke(thread.process, statements.transaction, statements.mops)
        self.running[thread] = replace(statement, place=len(self.log))
        entry = statement.entry(alias)
        self.log.append(replace(entry, result_after=len(self.log), added=added, held_back=held))
        thread.start(statement.job)

    # -- waiting --------------------------------------------------------------------------

    def _settle(self, *, everything: bool = False) -> None:
        """Wait until each session has returned or is known to wait. everything: until all have returned."""
        poll = _FIRST_POLL
        waits_from = time.monotonic() + self.context.limits.wait_seconds
        while self.running:
            if not everything and set(self.running) <= self.waiting and self.context.done.empty():
                return
            result = self.context.done.get(timeout=poll)
            if result is None:
                if time.monotonic() > self.until or self.context.stop.is_set():
                    self._give_up()
                    return
                self._poll(waits_from)
                poll = min(2 * poll, _LONGEST_POLL)
            else:
                self._in_order(result)
                poll = _FIRST_POLL
                waits_from = time.monotonic() + self.context.limits.wait_seconds

    def _poll(self, waits_from: float) -> None:
        waits = self.context.lock_waits([thread for thread in self.threads.values() if not thread.lost])
        if waits is None:
            late = self.running if time.monotonic() >= waits_from else ()
            waits = dict.fromkeys(late, ())
        if _circle(waits):
            return  # a deadlock: the database will choose a victim
        self.waiting = {thread for thread in self.running if thread in waits}
        for thread in self.waiting:
            self._mark_blocked(thread, waits[thread])

    def _mark_blocked(self, thread: SessionThread, others: tuple[SessionThread, ...]) -> None:
        place = self.running[thread].place
        if not self.log[place].blocked:
            aliases = tuple(self.aliases[other] for other in others)
            self.log[place] = replace(self.log[place], blocked=True, waited_for=aliases)

    # -- results --------------------------------------------------------------------------

    def _in_order(self, result: SessionAnswer) -> None:
        """Collect results, that of a COMMIT before those of sessions that it released."""
        early: list[SessionAnswer] = []
        ending = next((thread for thread, each in self.running.items() if each.action != "step"), None)
        while ending is not None and result.thread is not ending and len(early) < len(self.threads):
            early.append(result)
            later = self.context.done.get(timeout=_OVERTAKEN)
            if later is None:
                break  # the COMMIT itself waits
            result = later
        if result in early:
            early.remove(result)
        for each in (result, *early):
            self._collect(each)

    def _collect(self, result: SessionAnswer) -> None:
        thread = result.thread
        thread.busy = False
        statement = self.running.pop(thread)
        self.waiting.discard(thread)
        if result.crash is not None:
            raise result.crash
        alias = self.aliases[thread]
        changed: dict[str, Any] = {"result_after": len(self.log) - 1}
        if result.error is not None:
            changed |= {"code": result.error.code, "message": " ".join(result.error.message.split())}
            self._failed(thread, alias, statement, result.error)
        elif statement.action == "step":
            changed["saw"] = result.value
        else:
            self._ended(thread, alias, statement.action)
        self.log[statement.place] = replace(self.log[statement.place], **changed)
        if statement.lets_go or result.error is not None:
            self.waiting.clear()
        if self.held[thread] and not self.ended:
            statement, added = self.held[thread].popleft()
            self._start(thread, statement, added=added, held=True)

    def _ended(self, thread: SessionThread, alias: str, action: str) -> None:
        statements = self.statements[alias]
        if action == "commit":
            self.outcomes[alias] = TransactionOutcome("ok")
            self.recorder.complete("ok", thread.process, statements.run.seen)
        else:
            self.outcomes[alias] = TransactionOutcome("fail", ROLLED_BACK, "rollback")
            self.recorder.complete("fail", thread.process, statements.undone(), (ROLLED_BACK, "rollback"))
        self.order.append((alias, "ends"))

    def _failed(self, thread: SessionThread, alias: str, statement: Statement, error: SessionError) -> None:
        unknown = error.outcome is Outcome.INFO
        thread.lost = thread.lost or error.lost or unknown
        type = "info" if unknown else "fail"
        self.outcomes[alias] = TransactionOutcome(type, error.code, statement.phase)
        statements = self.statements[alias]
        self.recorder.complete(
            type, thread.process, statements.undone(statement), (error.code, statement.phase)
        )
        self.order.append((alias, "ends"))
        self.held[thread].clear()
        if error.outcome is Outcome.BUG and not self.ended:
            message = " ".join(error.message.split())
            self.refused = f"the database rejects {alias} at {statement.phase}: {error.code} {message}"

    # -- the end --------------------------------------------------------------------------

    def _give_up(self) -> None:
        """Record why the schedule cannot continue, and cancel what is running."""
        waits = [
            f"{alias} waited at {statement.phase}{self._for_whom(self.log[statement.place])}"
            for alias, thread in self.threads.items()
            if (statement := self.running.get(thread)) is not None
        ]
        why = (
            "it was interrupted"
            if self.context.stop.is_set()
            else f"{self.context.limits.attempt_seconds:g} s passed"
        )
        self.ended = f"the schedule could not continue: {why} while {', '.join(waits)}"
        self._cancel()

    def _for_whom(self, entry: LogEntry) -> str:
        if not entry.blocked or self.context.lock_waits([]) is None:
            return ""
        return f" for {listed(entry.waited_for or ['another session'])}"

    def _cancel(self) -> None:
        """End all open transactions; sessions that do not respond are given up."""
        self.ended = self.ended or "the schedule was interrupted"
        for thread in self.running:
            thread.session.cancel()
        until = time.monotonic() + 2.0
        while self.running and time.monotonic() < until:
            result = self.context.done.get(timeout=0.1)
            with suppress(BaseException):  # only the first failure is reported
                if result is not None:
                    self._collect(result)
        for thread in self.running:
            thread.lost = True
        for alias, thread in self.threads.items():
            begun = (alias, "begins") in self.order
            if begun and alias not in self.outcomes:
                error = ("INTERRUPTED", "schedule")
                unknown = thread in self.running
                if not unknown:
                    thread.session.rollback()
                self.outcomes[alias] = TransactionOutcome("info" if unknown else "fail", *error)
                mops = self.statements[alias].undone()
                self.recorder.complete("info" if unknown else "fail", thread.process, mops, error)


def _circle(waits: Mapping[SessionThread, tuple[SessionThread, ...]]) -> bool:
    """Do sessions wait for each other in a cycle?"""
    left = {thread: set(others) & set(waits) for thread, others in waits.items()}
    while free := [thread for thread, others in left.items() if not others & set(left)]:
        for thread in free:
            del left[thread]
    return bool(left)
