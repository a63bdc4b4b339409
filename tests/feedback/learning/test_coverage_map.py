from __future__ import annotations

from txfuzz.analysis.dependencies.coverage import DangerousStructure, Refusal, StepDependency, TemplateStep
from txfuzz.feedback.learning.coverage_map import CoverageMap, worth

ONE, OTHER = TemplateStep("one", 0), TemplateStep("other", 1)
WR = StepDependency("wr", ONE, OTHER, "overlaps", False)
RW = StepDependency("rw", ONE, OTHER, "overlaps", False)
STRUCTURE = DangerousStructure(ONE, OTHER, OTHER, ONE, False)
NEAREST = DangerousStructure(ONE, OTHER, OTHER, ONE, True)


def test_new_is_what_no_earlier_iteration_had() -> None:
    covered = CoverageMap()
    assert covered.note([WR, RW]) == (WR, RW)
    assert covered.note([RW, STRUCTURE]) == (STRUCTURE,)
    assert covered.hits == {WR: 1, RW: 2, STRUCTURE: 1}
    assert len(covered) == 3


def test_what_is_nearer_to_a_forbidden_cycle_is_worth_more() -> None:
    assert worth(WR) < worth(RW) < worth(STRUCTURE) < worth(NEAREST)
    assert worth(Refusal(ONE, OTHER)) > 0


def test_rare_is_what_few_iterations_showed() -> None:
    covered = CoverageMap()
    covered.note([WR, RW])
    assert covered.rarity(RW) == worth(RW)
    covered.note([RW])
    assert covered.rarity(RW) == worth(RW) / 2
    assert covered.rarity(STRUCTURE) == worth(STRUCTURE)
