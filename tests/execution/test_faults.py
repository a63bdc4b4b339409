"""Faults without a server: how workloads name them, when they strike, and what is recorded."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz.errors import DatabaseUnavailable, PluginError, UsageError, WorkloadError
from txfuzz.execution.fault_injector import Nemesis, PlannedFault, injector_for, until_available
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.run import execute
from txfuzz.execution.summary import injection_counts
from txfuzz.history.model import FINAL_READ, OK
from txfuzz.history.reader import read_history
from txfuzz.plugin.registry import KINDS, Plugin, entry_of
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import FaultSpec, Scheduling, Weight, Workload
from txfuzz.workload.yaml.writer import workload_text
from txfuzz_third.dictionary import DictionaryAdapter, DictionaryDatabase, Unreachable
from workload_words import complaint, parse, steps

ONE = steps("{f: r, key: 1}")
OURS = steps("{f: r, key: 1}", database="{adapter: postgres}")


@dataclass(frozen=True)
class Outage:
    """Nobody can connect for a while, and everybody is thrown out."""

    name: ClassVar[str] = "outage"
    about: ClassVar[str] = "nobody can connect"
    needs: ClassVar[str] = "outage"

    seconds: float = 0.05
    broken: bool = False

    @property
    def lasts(self) -> float:
        return self.seconds

    def cautions(self, database: Any) -> tuple[str, ...]:
        return ()

    def inject(self, injector: Outages, chance: random.Random) -> Mapping[str, int]:
        if self.broken:
            raise DatabaseUnavailable("the fault itself fails")
        injector.down.set()
        return {"thrown out": 3}

    def heal(self, injector: Outages) -> Mapping[str, int]:
        injector.down.clear()
        injector.healed += 1
        return {}


@dataclass
class Outages:
    down: threading.Event = field(default_factory=threading.Event)
    healed: int = 0

    def cannot(self, ability: str) -> str | None:
        return None if ability == "outage" else "not with me"


class Fragile(DictionaryDatabase):
    def __init__(self) -> None:
        super().__init__(DictionaryAdapter(lose_every=40))
        self.outages = Outages()

    def injector(self) -> Outages:
        return self.outages

    def session(self, kind: Any) -> Any:
        if self.outages.down.is_set():
            raise DatabaseUnavailable("nobody is there")
        return super().session(kind)


def planned(*specs: FaultSpec, fault: Any = None) -> tuple[PlannedFault, ...]:
    return tuple(PlannedFault(fault or Outage(), spec) for spec in specs)


# -- in the workload ----------------------------------------------------------------------


def test_faults_are_read_and_written() -> None:
    text = OURS + (
        "faults:\n"
        "  - {name: kill-server, every: 2s, times: 3, down: 0.5}\n"
        "  - {name: pause-server, at: [3s, 500ms], whom: session}\n"
        "  - {name: cut-commit, at: 1m}\n"
    )
    workload = parse(text)
    assert workload.faults == (
        FaultSpec("kill-server", {"down": 0.5}, (), 2.0, 3),
        FaultSpec("pause-server", {"whom": "session"}, (0.5, 3.0)),
        FaultSpec("cut-commit", {}, (60.0,)),
    )
    assert parse(workload_text(workload)) == workload
    assert parse(ONE + "faults: []\n").faults == ()


MISTAKES = {
    "misspelled fault": "- {name: ¦kill-sever, every: 1s}",
    "no name": "- ¦{every: 1s}",
    "no time": "- ¦{name: kill-server}",
    "at and every": "- ¦{name: kill-server, at: 1s, every: 1s}",
    "every is a word": "- {name: kill-server, every: ¦often}",
    "at zero": "- {name: kill-server, at: [1s, ¦0]}",
    "at no time": "- {name: kill-server, at: ¦[]}",
    "no times": "- {name: kill-server, every: 1s, times: ¦0}",
    "times with at": "- {name: kill-server, at: 1s, ¦times: 2}",
    "unknown value of an option": "- {name: pause-server, at: 1s, whom: ¦me}",
    "misspelled option": "- {name: kill-server, at: 1s, ¦dwon: 1}",
}


@pytest.mark.parametrize("marked", MISTAKES.values(), ids=MISTAKES)
def test_what_is_wrong_with_a_fault(marked: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(f"{OURS}faults:\n  {marked}\n") == snapshot


def test_an_adapter_that_can_inject_none() -> None:
    with pytest.raises(WorkloadError, match="found the fault 'kill-server', expected one that adapter"):
        parse(steps("{f: r, key: 1}", database="{adapter: plain}") + "faults: [{name: kill-server, at: 1}]\n")


# -- as plugins ---------------------------------------------------------------------------


def test_a_fault_must_say_what_it_needs() -> None:
    plugin = Plugin("d", "p", "1", "m")
    entry = entry_of(KINDS["fault"], Outage, plugin)
    assert (entry.name, entry.about) == ("outage", "nobody can connect")

    class Needless(Outage):
        needs = None  # type: ignore[assignment]

    with pytest.raises(PluginError, match="fault 'outage' has no `needs`"):
        entry_of(KINDS["fault"], Needless, plugin)


def test_a_database_that_allows_it_not() -> None:
    one = planned(FaultSpec("outage", at=(1.0,)))
    with pytest.raises(UsageError, match="fault 'outage': this database does not support fault injection"):
        injector_for(one, DictionaryDatabase(DictionaryAdapter()))
    database = Fragile()
    database.outages.cannot = lambda ability: "not today"  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="fault 'outage': not today"):
        injector_for(one, database)
    assert injector_for((), DictionaryDatabase(DictionaryAdapter())) is None


# -- when ---------------------------------------------------------------------------------


def test_times() -> None:
    again = planned(FaultSpec("x", every=0.5))[0]
    assert [again.next_due(now, 0) for now in (0.0, 0.1, 0.5, 1e9 + 0.25)] == [0.5, 0.5, 1.0, 1e9 + 0.5]
    twice = planned(FaultSpec("x", at=(1.0, 3.0)))[0]
    assert [twice.next_due(2.0, struck) for struck in range(3)] == [1.0, 3.0, None]


def inject(
    tmp_path: Path, *specs: FaultSpec, until: float, fault: Any = None
) -> tuple[Nemesis, Outages, str]:
    outages, over = Outages(), threading.Event()
    path = tmp_path / "h.edn"
    with Recorder(path) as recorder:
        nemesis = Nemesis(planned(*specs, fault=fault), outages, recorder, random.Random(1))  # type: ignore[arg-type]
        threading.Timer(until, over.set).start()
        nemesis.run(over)
    return nemesis, outages, path.read_text()


def test_each_fault_is_healed_and_written_down(tmp_path: Path) -> None:
    specs = FaultSpec("outage", at=(0.0, 0.01)), FaultSpec("outage", every=0.03, times=2)
    nemesis, outages, text = inject(tmp_path, *specs, until=30)
    assert outages.healed == len(nemesis.injections) == 4
    lines = text.splitlines()
    assert len(lines) == 8
    assert ":type :info, :process :nemesis, :f :outage" in lines[0]
    assert lines[0].endswith(":value {:phase :begins}}")
    assert lines[1].endswith(":value {:phase :healed, :thrown-out 3}}")
    for one, next_one in zip(nemesis.injections, nemesis.injections[1:], strict=False):
        assert one.at + one.seconds <= next_one.at  # one at a time


def test_the_end_of_the_run_ends_a_fault_that_lasts(tmp_path: Path) -> None:
    start = time.monotonic()
    nemesis, outages, _ = inject(tmp_path, FaultSpec("outage", at=(0.0, 50.0)), until=0.1, fault=Outage(60.0))
    assert time.monotonic() - start < 20
    assert outages.healed == len(nemesis.injections) == 1
    assert not outages.down.is_set()


def test_patience_is_for_a_database_that_is_away() -> None:
    answers = iter([DatabaseUnavailable("away"), DatabaseUnavailable("away"), None])

    def work() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "done"

    assert until_available(work, lambda: False) == "done"
    with pytest.raises(Unreachable):
        until_available(lambda: DictionaryDatabase(DictionaryAdapter(down=True)).session(None), lambda: False)


# -- while clients run --------------------------------------------------------------------

WORKLOAD = Workload(
    "w",
    (Transaction("add", (Step("r", Choice((1, 2))), Step("append", Choice((1, 2))))),),
    (Weight("add", 1),),
    scheduling=Scheduling(clients=3, transactions=None, duration=0.5),
)


def test_clients_wait_until_the_database_is_there_again(tmp_path: Path) -> None:
    faults = planned(FaultSpec("outage", every=0.1))
    with Fragile() as database:
        summary = execute(WORKLOAD, database, tmp_path / "h.edn", isolation="locked", faults=faults)
    assert summary.failure is None
    assert injection_counts(summary.faults) == {"outage": len(summary.faults)}
    assert len(summary.faults) >= 2
    assert summary.info > 3
    history = read_history(tmp_path / "h.edn")
    final = history.template == list(history.templates).index(FINAL_READ)
    assert len(history) == summary.asked + final.sum() > 100
    assert summary.final_reads == (final & (history.type == OK)).sum() > 0
    assert not history.warnings  # the checker passes over what the nemesis did


def test_a_fault_that_cannot_be_injected_ends_the_run_with_its_sentence(tmp_path: Path) -> None:
    faults = planned(FaultSpec("outage", at=(0.05,)), fault=Outage(broken=True))
    with Fragile() as database:
        summary = execute(WORKLOAD, database, tmp_path / "h.edn", isolation="locked", faults=faults)
    assert summary.stopped == "the fault itself fails"
    assert database.outages.healed == 1
    assert len(read_history(tmp_path / "h.edn")) == summary.asked
