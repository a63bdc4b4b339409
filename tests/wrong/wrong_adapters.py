"""Adapters with one defect each, and the checks that must catch it. Run by test_conformance.py."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from txfuzz import Capabilities, Outcome, SessionError
from txfuzz.common.options import option
from txfuzz.database.api import Answer, BoundStep
from txfuzz.database.endpoints import Promise
from txfuzz.database.versions import StartableServer
from txfuzz.errors import DatabaseUnavailable
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemoryReplicaSession, MemorySession
from txfuzz.transactions.model import Step
from wrong_memory import Conformance, Wrong, wrong

# -- description ----------------------------------------------------------------------------


class TestSaysNothing(Conformance):
    caught_by = ("test_it_says_what_it_is",)

    class Silent(Wrong):
        about = ""

    adapter = Silent()


class TestUnexplainedOption(Conformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass(frozen=True)
    class Odd(Wrong):
        pages: int = 5

    adapter = Odd()


class TestLevelsUpsideDown(Conformance):
    caught_by = ("test_its_capabilities_make_sense",)

    class UpsideDown(Wrong):
        def capabilities(self) -> Capabilities:
            return Capabilities(
                {"serializable": "strict-serializable", "read committed": "read-committed"},
                "serializable",
                locks=frozenset({"update"}),
            )

    adapter = UpsideDown()


class TestNoDefaultLevel(Conformance):
    caught_by = ("test_its_capabilities_make_sense",)

    class Astray(Wrong):
        def capabilities(self) -> Capabilities:
            levels = {"read committed": "read-committed", "serializable": "strict-serializable"}
            return Capabilities(levels, "repeatable read")

    adapter = Astray()


class TestTellsThePassword(Conformance):
    caught_by = ("test_a_server_that_is_not_there",)
    unreachable = "wrong://me:hidden@127.0.0.1:1/nowhere"

    class Talkative(Wrong):
        def open(self, url: str | None) -> Any:
            raise DatabaseUnavailable(f"nobody is at {url}")

    adapter = Talkative()


class TestFindsAServerAnywhere(Conformance):
    caught_by = ("test_a_server_that_is_not_there",)
    unreachable = "wrong://me:hidden@127.0.0.1:1/nowhere"
    adapter = Wrong()


# -- one session ------------------------------------------------------------------------------


class Leaving(MemoryDatabase):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        os.close(tempfile.mkstemp(prefix="txfuzz-wrong-")[0])


class TestLeavesAFile(Conformance):
    caught_by = ("test_opening_and_closing_leave_no_trace",)
    adapter = wrong(database=Leaving)


class Thready(MemoryDatabase):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class TestLeavesAThread(Conformance):
    caught_by = ("test_opening_and_closing_leave_no_trace",)
    adapter = wrong(database=Thready)


class CommitsAtClose(MemorySession):
    def close(self) -> None:
        if self.backend.open:
            self.commit()
        super().close()


class TestCommitsAtClose(Conformance):
    caught_by = ("test_closing_a_session_gives_its_transaction_up",)
    adapter = wrong(CommitsAtClose)


class Keeping(MemoryDatabase):
    def prepare(self, kind: Any, *, fresh: bool) -> int:
        return super().prepare(kind, fresh=False)


class TestKeepsItsRows(Conformance):
    caught_by = ("test_reset_leaves_an_empty_store",)
    adapter = wrong(database=Keeping)


class Forgetting(MemoryDatabase):
    def prepare(self, kind: Any, *, fresh: bool) -> int:
        return super().prepare(kind, fresh=True)


class TestForgetsItsRows(Conformance):
    caught_by = ("test_reset_leaves_an_empty_store",)
    adapter = wrong(database=Forgetting)


class Blind(MemorySession):
    """Does not see its own writes."""

    def execute(self, step: BoundStep) -> Any:
        written, backend = dict(self.backend.written), self.backend
        if step.f != "r" or step.step.lock:
            return super().execute(step)
        backend.written = {}
        try:
            return super().execute(step)
        finally:
            backend.written = written


class TestDoesNotReadItsOwnWrites(Conformance):
    caught_by = ("test_own_writes_are_read_back",)
    adapter = wrong(Blind)


class Narrow(MemorySession):
    def execute(self, step: BoundStep) -> Any:
        return super().execute(step if step.value is None else step._replace(value=step.value & 0x7FFFFFFF))


class TestValuesOf31Bits(Conformance):
    caught_by = ("test_values_round_trip",)
    adapter = wrong(Narrow)


class Short(MemorySession):
    def execute(self, step: BoundStep) -> Any:
        seen = super().execute(step)
        return seen[:256] if isinstance(seen, tuple) else seen


class TestListsThatAreCutOff(Conformance):
    caught_by = ("test_values_round_trip",)
    adapter = wrong(Short)


class CommitsAtRollback(MemorySession):
    def rollback(self) -> None:
        if self.backend.open:
            self.commit()


class TestCommitsAtRollback(Conformance):
    caught_by = ("test_a_rollback_has_no_effect",)
    adapter = wrong(CommitsAtRollback)


class HalfABatch(MemorySession):
    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> Any:
        if begin is not None:
            self.begin(begin)
        seen = self.execute(step)
        if commit and step.f != "r":
            self.commit()
        return seen


class TestBatchesThatDoNotCommit(Conformance):
    caught_by = ("test_a_batch_means_what_its_parts_mean",)
    adapter = wrong(HalfABatch)


class Printing(MemorySession):
    def execute(self, step: BoundStep) -> Any:
        if step.value is not None:
            step = step._replace(value=int(str(step.value)))
        return super().execute(step)


class TestPutsValuesIntoText(Conformance):
    caught_by = ("test_no_value_is_interpolated",)
    adapter = wrong(Printing)


class AnyLock(MemorySession):
    def execute(self, step: BoundStep) -> Any:
        lock = "update" if step.step.lock else None
        return super().execute(step._replace(step=Step(step.f, lock=lock)))


class TestTakesAnyWordForALock(Conformance):
    caught_by = ("test_no_word_is_interpolated",)
    adapter = wrong(AnyLock)


class AnyLevel(MemorySession):
    def begin(self, isolation: str) -> None:
        super().begin(isolation if isolation in Wrong().capabilities().isolation else "serializable")


class TestTakesAnyWordForALevel(Conformance):
    caught_by = ("test_no_word_is_interpolated",)
    adapter = wrong(AnyLevel)


class TestPromisesALockThatItHasNot(Conformance):
    caught_by = ("test_every_lock_is_understood",)

    class Promising(Wrong):
        def capabilities(self) -> Capabilities:
            can = Wrong().capabilities()
            return Capabilities(can.isolation, can.default_isolation, locks=frozenset({"update", "share"}))

    adapter = Promising()


# -- several sessions ---------------------------------------------------------------------------


class IgnoresIsolation(MemorySession):
    def begin(self, isolation: str) -> None:
        super().begin("read committed")


class TestIgnoresIsolation(Conformance):
    caught_by = (
        "test_each_level_keeps_its_promise",
        "test_many_clients_find_what_is_promised",
        "test_a_write_conflict_is_a_failure",
        "test_nothing_runs_once_a_transaction_has_failed",
        "test_no_word_is_interpolated",
    )
    adapter = wrong(IgnoresIsolation)


class TestAlwaysSerializable(Conformance):
    caught_by = (
        "test_weaker_levels_are_weaker",
        "test_no_word_is_interpolated",
    )
    shows: ClassVar = {"read committed": ("lost-update",)}

    class Strong(MemorySession):
        def begin(self, isolation: str) -> None:
            super().begin("serializable")

    adapter = wrong(Strong)


class Unsure(MemorySession):
    """Reports every error as unknown."""

    def execute(self, step: BoundStep) -> Any:
        try:
            return super().execute(step)
        except SessionError as error:
            outcome = error.outcome if error.outcome is Outcome.BUG else Outcome.INFO
            raise SessionError(outcome, error.code, error.message) from None

    def commit(self) -> None:
        try:
            super().commit()
        except SessionError as error:
            raise SessionError(Outcome.INFO, error.code, error.message, lost=error.lost) from None


class TestCallsAConflictUnknown(Conformance):
    caught_by = ("test_a_write_conflict_is_a_failure",)
    adapter = wrong(Unsure)


class Autocommit(MemorySession):
    """After the server has ended the transaction, the next statement runs on its own."""

    def execute(self, step: BoundStep) -> Any:
        if self.backend.open:
            return super().execute(step)
        super().begin("read committed")
        seen = super().execute(step)
        super().commit()
        return seen


class TestRunsStatementsOutsideOfTheirTransaction(Conformance):
    caught_by = (
        "test_nothing_runs_once_a_transaction_has_failed",
        "test_nothing_runs_once_a_deadlock_has_been_broken",
    )
    adapter = wrong(Autocommit)


class TestBeginsAnewBySilence(Conformance):
    caught_by = ("test_nothing_runs_once_a_transaction_has_failed",)

    class Anew(MemorySession):
        def execute(self, step: BoundStep) -> Any:
            if not self.backend.open:
                super().begin("read committed")
            return super().execute(step)

    adapter = wrong(Anew)


class SureAtCommit(MemorySession):
    def commit(self) -> None:
        try:
            super().commit()
        except SessionError as error:
            raise SessionError(Outcome.FAIL, error.code, error.message, lost=error.lost) from None


class TestCallsALostCommitFailed(Conformance):
    caught_by = ("test_a_connection_lost_at_commit_is_unknown",)
    adapter = wrong(SureAtCommit)


class OneByOne(MemorySession):
    """One transaction at a time."""

    turn: ClassVar = threading.Lock()
    mine = False

    def begin(self, isolation: str) -> None:
        self.mine = self.turn.acquire()
        super().begin(isolation)

    def _over(self) -> None:
        if self.mine:
            self.mine = False
            self.turn.release()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self._over()

    def rollback(self) -> None:
        super().rollback()
        self._over()

    def close(self) -> None:
        super().close()
        self._over()


class TestOneTransactionAtATime(Conformance):
    caught_by = ("test_two_sessions_are_concurrent",)
    adapter = wrong(OneByOne)


class Deaf(MemoryDatabase):
    def waiting(self, sessions: Any) -> Any:
        return {}


class TestSeesNobodyWait(Conformance):
    caught_by = ("test_lock_waits_are_reported",)
    adapter = wrong(database=Deaf)


class TestCannotBeCancelled(Conformance):
    caught_by = ("test_a_blocked_call_can_be_cancelled",)

    class Stubborn(MemorySession):
        def cancel(self) -> None:
            pass

    adapter = wrong(Stubborn)


# -- raw SQL, savepoints, modes -------------------------------------------------------------


class InSql(MemorySession):
    """Treats every raw statement that parses as one that found nothing."""

    def execute_sql(self, step: BoundStep) -> Answer:
        if "nowhere" in (step.step.sql or ""):
            raise SessionError(Outcome.FAIL, "unknown-table", "there is no such table")
        return Answer(changed=0)

    def rollback_to(self, savepoint: str) -> None:
        pass

    def begin(self, isolation: str, *, read_only: bool = False) -> None:
        super().begin(isolation)


def wrong_in_sql(session: type[MemorySession]) -> Any:
    """An adapter that claims every capability."""

    class Claims(Wrong):
        def capabilities(self) -> Capabilities:
            has = super().capabilities()
            return replace(has, sql=True, savepoints=True, modes=frozenset({"read_only"}))

    members = {"session": session, "__annotations__": {}}
    return dataclass(frozen=True)(type("WrongAdapter", (Claims,), members))()


class TestFindsNothingByRawSql(Conformance):
    caught_by = ("test_raw_sql_says_what_it_found",)
    adapter = wrong_in_sql(InSql)


class TestLetsAStepCommit(Conformance):
    caught_by = ("test_raw_sql_stays_inside_its_transaction",)

    class Commits(InSql):
        def execute_sql(self, step: BoundStep) -> Answer:
            if step.step.sql == "COMMIT":
                self.commit()
            return super().execute_sql(step)

    adapter = wrong_in_sql(Commits)


class TestForgetsItsSavepoints(Conformance):
    caught_by = ("test_a_transaction_goes_on_after_an_error",)
    adapter = wrong_in_sql(InSql)


class TestWritesWhereItOnlyReads(Conformance):
    caught_by = ("test_a_read_only_transaction_writes_nothing",)
    adapter = wrong_in_sql(InSql)


# -- endpoints ------------------------------------------------------------------------------


class TestCannotBeWrittenAnywhere(Conformance):
    caught_by = ("test_roles_make_sense",)

    class ReplicaFirst(Wrong):
        def capabilities(self) -> Capabilities:
            has = super().capabilities()
            return replace(has, endpoints=dict(reversed(has.endpoints.items())))

    adapter = ReplicaFirst()


class TestPromisesTheSameEverywhere(Conformance):
    caught_by = ("test_promises_across_endpoints",)

    class Generous(Wrong):
        def promise_across(self, uses: Any, faults: Any) -> Promise:
            return Promise("strict-serializable")

    adapter = Generous()


class Late(MemoryReplicaSession):
    """Lacks the last commit."""

    def execute(self, step: BoundStep) -> Any:
        seen = super().execute(step)
        return seen[:-1] if isinstance(seen, tuple) else seen


class TestDoesNotWaitForItsReplica(Conformance):
    caught_by = ("test_what_was_settled_is_seen_everywhere",)

    class Behind(MemoryDatabase):
        def session_at(self, kind: Any, endpoint: Any) -> MemorySession:
            made = Late if endpoint.read_only else MemorySession
            return made(self._reachable(kind), kind, 0.0)

    adapter = wrong(database=Behind)


class TestWritesToAReplica(Conformance):
    caught_by = ("test_a_read_only_endpoint_refuses_writes", "test_the_levels_of_each_endpoint")

    class Alike(MemoryDatabase):
        def session_at(self, kind: Any, endpoint: Any) -> MemorySession:
            return MemorySession(self._reachable(kind), kind, 0.0)

    adapter = wrong(database=Alike)


# -- versions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Versioned(Wrong):
    """It can start two versions, and should say so rightly."""

    version: str = option("2.0", "which version it starts")
    started: ClassVar[Mapping[str, str]] = {"1.9": "1.9", "1.10": "1.10", "2.0": "2.0"}

    def startable(self) -> list[StartableServer]:
        return [StartableServer(each, {"version": each}) for each in self.started]

    def open(self, url: str | None) -> Any:
        opened = super().open(url)
        told = {**opened.describe(), "version": self.started[self.version]}
        opened.describe = lambda: told
        return opened


class TestStartsAnotherVersion(Conformance):
    caught_by = ("test_a_version_that_is_asked_for_is_started",)

    class Newest(Versioned):
        started: ClassVar[Mapping[str, str]] = {"1.9": "2.0", "2.0": "2.0"}

    adapter = Newest()


class TestOffersAVersionThatDoesNotStart(Conformance):
    caught_by = ("test_a_version_that_is_asked_for_is_started",)

    class Absent(Versioned):
        def open(self, url: str | None) -> Any:
            if self.version == "1.9":
                raise DatabaseUnavailable("there is no version 1.9")
            return super().open(url)

    adapter = Absent()


class TestVersionsAsWords(Conformance):
    caught_by = ("test_its_versions_are_in_order",)

    class Alphabetical(Versioned):
        started: ClassVar[Mapping[str, str]] = {"1.10": "1.10", "1.9": "1.9"}

    adapter = Alphabetical(version="1.9")
