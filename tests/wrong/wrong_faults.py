"""Faults with one defect each. Run by test_conformance.py."""

from __future__ import annotations

import random as global_random
from dataclasses import dataclass
from typing import Any, ClassVar

from txfuzz.database.faults import PAUSE
from txfuzz.errors import UsageError
from txfuzz.testing import FaultConformance, MemoryAdapter


@dataclass(frozen=True)
class Wrong:
    """Pauses the server for a moment, correctly."""

    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "pauses the server wrongly"
    needs: ClassVar[str] = PAUSE
    lasts: ClassVar[float] = 0.01

    def cautions(self, database: Any) -> Any:
        return ()

    def inject(self, injector: Any, chance: Any) -> Any:
        return {"paused": injector.pause("server", chance)}

    def heal(self, injector: Any) -> Any:
        injector.resume()
        return {}


class TestLastsNoTime(FaultConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Odd(Wrong):
        lasts = "a while"  # type: ignore[assignment]

    fault = Odd()


class TestCautionsThatAreNone(FaultConformance):
    caught_by = ("test_its_cautions_are_sentences",)

    class Silent(Wrong):
        def cautions(self, database: Any) -> Any:
            return None

    fault = Silent()


class TestCautionsOfLetters(FaultConformance):
    caught_by = ("test_its_cautions_are_sentences",)

    class Letters(Wrong):
        def cautions(self, database: Any) -> Any:
            return ("beware",)

    fault = Letters()


class TestDoesNotSayWhatItDid(FaultConformance):
    caught_by = ("test_what_it_did_can_be_written_down",)

    class Silent(Wrong):
        def inject(self, injector: Any, chance: Any) -> Any:
            injector.pause("server", chance)

    fault = Silent()


class TestSaysItInObjects(FaultConformance):
    caught_by = ("test_what_it_did_can_be_written_down",)

    class Objects(Wrong):
        def inject(self, injector: Any, chance: Any) -> Any:
            injector.pause("server", chance)
            return {"by": object()}

    fault = Objects()


class TestDrawsFromElsewhere(FaultConformance):
    caught_by = ("test_it_draws_from_the_random_numbers_that_it_is_given",)

    class Elsewhere(Wrong):
        def inject(self, injector: Any, chance: Any) -> Any:
            global_random.random()
            return super().inject(injector, chance)

    fault = Elsewhere()


class TestNeedsSomebody(FaultConformance):
    caught_by = ("test_it_can_be_injected_when_nobody_is_there",)

    class Lonely(Wrong):
        def inject(self, injector: Any, chance: Any) -> Any:
            if injector.pause("session", chance) == 0:
                raise UsageError("there is nobody to pause")
            return {}

    fault = Lonely()


class TestIsNotHealed(FaultConformance):
    caught_by = ("test_what_is_healed_works_again", "test_it_can_be_injected_when_nobody_is_there")
    patience = 0.3

    class Unhealed(Wrong):
        def heal(self, injector: Any) -> Any:
            return {}

    fault = Unhealed()


class TestEndsTheRun(FaultConformance):
    caught_by = ("test_a_run_with_it_is_no_worse",)

    class Fails(Wrong):
        def inject(self, injector: Any, chance: Any) -> Any:
            raise UsageError("not today")

    fault = Fails()


class TestADatabaseThatLies(FaultConformance):
    caught_by = ("test_a_run_with_it_is_no_worse",)
    fault = Wrong()
    adapter = MemoryAdapter(defects=("dirty-read", "stale-read"), probability=0.5)
