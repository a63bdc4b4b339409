"""Analyzers with one defect each. Run by test_conformance.py."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from txfuzz import Anomaly, Part, Verdict
from txfuzz.testing import AnalyzerConformance
from txfuzz.testing.history_samples import CLEAN


@dataclass(frozen=True)
class Wrong:
    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "judges wrongly"

    def analyze(self, history: Any, expect: str) -> Any:
        return Part(Verdict.UNKNOWN, "it never knows")


class TestSaysNothing(AnalyzerConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Silent(Wrong):
        about = " "

    analyzer = Silent()


class TestGivesNoReason(AnalyzerConformance):
    caught_by = ("test_it_judges_any_history",)

    class Unfounded(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.UNKNOWN)

    analyzer = Unfounded()


class TestGivesText(AnalyzerConformance):
    caught_by = ("test_it_judges_any_history",)

    class Text(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return "valid"

    analyzer = Text()


class TestFindsAnomaliesInWhatIsValid(AnalyzerConformance):
    caught_by = ("test_it_judges_any_history",)

    class Undecided(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(anomalies=(Anomaly("odd", (), "it looks odd", "mine"),))

    analyzer = Undecided()


class TestFailsOnRegisters(AnalyzerConformance):
    caught_by = ("test_it_judges_any_history",)

    class Fails(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(data={"kind": {"list-append": 1}[history.kind.value]})

    analyzer = Fails()


class TestMissesWhatItKnows(AnalyzerConformance):
    caught_by = ("test_golden_histories",)
    golden: ClassVar = {"serial": (CLEAN["of lists, one after the other"], "valid")}
    analyzer = Wrong()


class TestMissesTheAnomaly(AnalyzerConformance):
    caught_by = ("test_golden_histories",)
    golden: ClassVar = {"serial": (CLEAN["of lists, one after the other"], "unknown", "overdraft")}
    analyzer = Wrong()


class TestObjectsToEverything(AnalyzerConformance):
    caught_by = ("test_a_clean_history_is_not_invalid",)

    class Objects(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.INVALID, "nothing is ever right")

    analyzer = Objects()


class TestVouchesForEverything(AnalyzerConformance):
    caught_by = ("test_what_cannot_be_judged_is_never_valid",)

    class Vouches(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part()

    analyzer = Vouches()


class TestKnowsAKey(AnalyzerConformance):
    caught_by = ("test_names_of_processes_and_keys_do_not_matter",)

    class Knows(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.INVALID if 1 in history.keys else Verdict.UNKNOWN, "key 1 brings no luck")

    analyzer = Knows()


class TestKnowsAProcess(AnalyzerConformance):
    caught_by = ("test_names_of_processes_and_keys_do_not_matter",)

    class Knows(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.INVALID if 0 in history.process else Verdict.UNKNOWN, "process 0 lies")

    analyzer = Knows()


class TestChangesItsMind(AnalyzerConformance):
    caught_by = ("test_the_same_history_gives_the_same_answer",)

    class Counts(Wrong):
        turns: ClassVar = count()

        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.UNKNOWN, f"asked {next(self.turns)} times")

    analyzer = Counts()


class TestWritesIntoTheHistory(AnalyzerConformance):
    caught_by = ("test_it_changes_no_history",)

    class Writes(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            history.process[:] = 7
            return Part(Verdict.UNKNOWN, "all one process")

    analyzer = Writes()


class TestFillsInTheVerdict(AnalyzerConformance):
    caught_by = ("test_it_fits_beside_the_checker",)

    class Fills(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.UNKNOWN, "no idea", fields={"verdict": Verdict.VALID})

    analyzer = Fills()


class TestFillsInWhatTheCheckerDoes(AnalyzerConformance):
    caught_by = ("test_it_fits_beside_the_checker",)

    class Fills(Wrong):
        def analyze(self, history: Any, expect: str) -> Any:
            return Part(Verdict.UNKNOWN, "no idea", fields={"near_cycles": ()})

    analyzer = Fills()
