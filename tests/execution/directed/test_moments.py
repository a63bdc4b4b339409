"""Faults that strike at moments of directed schedules, on the database in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from directed_schedules import WORKLOAD, database
from txfuzz.execution.directed.moments import Moments
from txfuzz.execution.fault_injector import PlannedFault
from txfuzz.execution.run import execute
from txfuzz.workload.model import FaultSpec


@dataclass
class Look:
    """Changes nothing: notes who holds locks when it strikes."""

    name: ClassVar[str] = "look"
    about: ClassVar[str] = "nothing happens"
    needs: ClassVar[str] = "terminate"
    lasts: ClassVar[float] = 0.0
    struck: int = 0

    def cautions(self, database: Any) -> tuple[str, ...]:
        return ()

    def inject(self, injector: Any, chance: Random) -> Mapping[str, int]:
        self.struck += 1
        return {}

    def heal(self, injector: Any) -> Mapping[str, int]:
        return {}


@pytest.mark.parametrize("when", ["commit", "lock"])
def test_a_fault_strikes_at_its_moment(tmp_path: Path, when: str) -> None:
    fault = Look()
    planned = PlannedFault(fault, FaultSpec("look", every=0.001, times=3, when=when))
    with database() as opened:
        summary = execute(
            replace(WORKLOAD, scheduling=replace(WORKLOAD.scheduling, transactions=2000)),
            opened,
            tmp_path / "h.edn",
            isolation="snapshot",
            faults=(planned,),
        )
    assert fault.struck == len(summary.faults) == 3
    assert summary.stopped == ""


def test_without_a_directed_schedule_there_is_no_moment(tmp_path: Path) -> None:
    fault = Look()
    planned = PlannedFault(fault, FaultSpec("look", every=0.001, when="commit"))
    with database() as opened:
        summary = execute(
            replace(WORKLOAD, directed=()),
            opened,
            tmp_path / "h.edn",
            isolation="snapshot",
            faults=(planned,),
        )
    assert (fault.struck, summary.faults) == (0, ())
    assert summary.asked == 300


def test_a_session_stays_at_its_moment_until_the_fault_is_injected() -> None:
    moments, gone_on = Moments(), threading.Event()
    moments.arm("lock", 7)

    def session() -> None:
        moments.at("lock", Random(1), threading.Event().wait, lambda: False)
        gone_on.set()

    threading.Thread(target=session, daemon=True).start()
    strike = moments.reached(5)
    assert strike is not None
    assert strike.number == 7
    strike.begun.set()
    assert not gone_on.wait(0.05)
    strike.injected.set()
    assert gone_on.wait(5)


def test_other_moments_pass() -> None:
    moments = Moments()
    moments.arm("lock", 7)
    moments.at("commit", Random(1), threading.Event().wait, lambda: False)
    assert moments.reached(0.001) is None


def test_a_run_that_has_stopped_keeps_nobody() -> None:
    moments = Moments()
    moments.arm("commit", 0)
    moments.at("commit", Random(1), threading.Event().wait, lambda: True)
    assert moments.reached(0.001) is not None
