"""Defects that heuristics and mutators can have alike, each to be mixed into one of either kind.

The class that it is mixed into says how one adjustment, or none, is answered.
"""

from __future__ import annotations

import random as global_random
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from txfuzz import Adjustment

CONSTANT = "test_the_same_input_gives_the_same_answer"
OWN_RANDOM = "test_it_draws_from_the_random_numbers_that_it_is_given"
CHANGES_NOTHING = "test_it_changes_nothing_itself"
CAN_RUN = "test_every_workload_that_comes_out_can_run"
EXPLAINED = "test_every_adjustment_is_explained"
IS_DATA = "test_every_adjustment_is_data"
ALIKE = (CONSTANT, OWN_RANDOM, CHANGES_NOTHING, CAN_RUN, EXPLAINED, IS_DATA)


@dataclass(frozen=True)
class Wrong:
    """Proposes nothing, or another number of clients."""

    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "does something wrong"

    def answer(self, adjustment: Adjustment | None) -> Any:
        raise NotImplementedError

    def clients(self, workload: Any, after: Any, reason: str = "more clients press harder") -> Any:
        before = workload.scheduling.clients
        return self.answer(Adjustment("scheduling.clients", before, after, reason, self.name))

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return self.answer(None)


class Counts(Wrong):
    """Remembers how often it was asked."""

    turns: ClassVar = count(3)

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return self.clients(workload, next(self.turns) % 10_000 + 1)


class Elsewhere(Wrong):
    """Draws from the global random numbers."""

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return self.clients(workload, global_random.randint(2, 1000))


class WritesIntoTheWorkload(Wrong):
    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        object.__setattr__(workload, "seed", workload.seed + 1)
        return self.answer(None)


class Silent(Wrong):
    """Gives no reason."""

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return self.clients(workload, 7, "because")


class Sets(Wrong):
    """What JSON cannot say."""

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return self.clients(workload, {1, 2})


class Hangs(Wrong):
    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        while True:
            time.sleep(60)


class Thawed:
    """Is no frozen dataclass."""

    name: ClassVar[str] = "thawed"
    about: ClassVar[str] = "is no frozen dataclass"
    kind: ClassVar[str] = "keys"

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return None
