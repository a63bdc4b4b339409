"""One mutator at a time: what comes of it, and who is named where it is wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

import pytest

from txfuzz import Adjustment, FeedbackResult, Verdict, Workload
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.errors import PluginError, UsageError
from txfuzz.feedback.mutators import applicable, mutated
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import Weight

WORKLOAD = Workload("w", (Transaction("t", (Step("append", Choice(range(1, 9))),)),), (Weight("t", 1.0),))
NOTHING = FeedbackResult(0, Verdict.VALID)


@dataclass(frozen=True)
class Proposes:
    name: ClassVar[str] = "proposes"
    about: ClassVar[str] = "proposes what it was given"
    kind: ClassVar[str] = "scheduling"
    what: Any = None

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Any:
        return self.what() if callable(self.what) else self.what


def clients(before: int, after: int) -> Adjustment:
    return Adjustment("scheduling.clients", before, after, "for some reason", "another name")


@pytest.mark.parametrize("guard", [False, True])
def test_a_change_is_made_under_the_name_of_the_mutator(guard: bool) -> None:
    mutator = Proposes(clients(8, 9))
    made = mutated(guarded("mutator", mutator) if guard else mutator, NOTHING, WORKLOAD, Random(1))
    assert made is not None
    assert (made.workload.scheduling.clients, made.adjustment.heuristic) == (9, "proposes")
    assert mutated(Proposes(clients(8, 8)), NOTHING, WORKLOAD, Random(1)) is None, "nothing changes"
    assert mutated(Proposes(), NOTHING, WORKLOAD, Random(1)) is None


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ((clients(8, 9),), "expected an adjustment or None"),
        (clients(7, 9), "it says that scheduling.clients is 7, but it is 8"),
        (Adjustment("mix", {"t": 1.0}, {"t": 2.0}, "more of it", "x"), "which is of the kind 'mix'"),
        (Adjustment("pace", 1, 2, "more of it", "x"), "unknown target 'pace'"),
    ],
)
@pytest.mark.parametrize("guard", [False, True])
def test_what_is_wrong_names_the_mutator(what: Any, message: str, guard: bool) -> None:
    mutator = Proposes(what)
    with pytest.raises(UsageError, match=message) as error:
        mutated(guarded("mutator", mutator) if guard else mutator, NOTHING, WORKLOAD, Random(1))
    assert "mutator 'proposes'" in str(error.value)


def test_a_mutator_that_hangs_is_not_called_again() -> None:
    mutator = guarded("mutator", Proposes(lambda: time.sleep(2)), 0.05)
    for message in ("did not answer within 0.05 s", "timed out earlier"):
        with pytest.raises(PluginError, match=f"mutator 'proposes' {message}"):
            mutated(mutator, NOTHING, WORKLOAD, Random(1))


def test_a_guarded_mutator_is_still_of_its_kind() -> None:
    mutators = (guarded("mutator", Proposes()),)
    assert applicable(mutators, WORKLOAD) == mutators
    narrow = Workload("w", (), (), mutate=AllowedChanges(("keys",)))
    assert applicable(mutators, narrow) == ()
