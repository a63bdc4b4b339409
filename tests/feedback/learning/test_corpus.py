from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from txfuzz.analysis.dependencies.coverage import DangerousStructure, StepDependency, TemplateStep
from txfuzz.common.kind import Kind
from txfuzz.feedback.learning.corpus import Corpus, CorpusEntry, energy, lineage
from txfuzz.feedback.learning.coverage_map import CoverageMap
from txfuzz.testing.small_run import pressing

ONE, OTHER = TemplateStep("one", 0), TemplateStep("other", 1)
COMMON = StepDependency("wr", ONE, OTHER, "overlaps", False)
RARE = DangerousStructure(ONE, OTHER, OTHER, ONE, True)


def entry(
    number: int, *features: StepDependency | DangerousStructure, parent: int | None = None
) -> CorpusEntry:
    seen = dict.fromkeys(features, 5)
    return CorpusEntry(number, pressing(Kind.LIST_APPEND), number, 100, seen, features, parent)


def covered_by(corpus: Corpus) -> CoverageMap:
    covered = CoverageMap()
    for each in corpus:
        covered.note(each.seen)
    return covered


def test_the_entry_with_what_is_rare_is_chosen_more() -> None:
    corpus = Corpus()
    for each in (entry(0, COMMON), entry(1, COMMON), entry(2, COMMON, RARE)):
        corpus = corpus.with_entry(each)
    covered = covered_by(corpus)
    chosen = Counter(corpus.choose(Random(seed), covered)[0].number for seed in range(200))
    assert chosen[2] > 150
    assert chosen[0] + chosen[1] > 0


def test_energy_sinks_with_each_choice() -> None:
    corpus = Corpus().with_entry(entry(0, RARE))
    covered = covered_by(corpus)
    before = energy(corpus.entries[0], covered)
    _, after = corpus.choose(Random(1), covered)
    assert after.entries[0].chosen == 1
    assert energy(after.entries[0], covered) == before / 2


def test_a_feature_that_shows_itself_seldom_counts_less() -> None:
    covered = CoverageMap()
    covered.note([RARE])
    often, seldom = entry(0, RARE), replace(entry(0, RARE), transactions=2_000, seen={RARE: 2})
    assert energy(often, covered) == pytest.approx(10 * energy(seldom, covered))


def test_near_cycles_give_energy() -> None:
    near = replace(entry(0, COMMON), nearest=1.0)
    assert energy(near, CoverageMap()) > energy(entry(0, COMMON), CoverageMap())


def test_without_any_energy_each_is_as_likely() -> None:
    corpus = Corpus().with_entry(entry(0)).with_entry(entry(1))
    assert {corpus.choose(Random(seed), CoverageMap())[0].number for seed in range(20)} == {0, 1}


def test_lineage_goes_back_to_the_first() -> None:
    corpus = Corpus()
    for each in (entry(0), entry(1, parent=0), entry(2, parent=0), entry(3, parent=1)):
        corpus = corpus.with_entry(each)
    assert [each.number for each in lineage(corpus, 3)] == [3, 1, 0]


def test_entries_are_numbered_in_order() -> None:
    with pytest.raises(ValueError, match="entry 2 cannot follow 0 entries"):
        Corpus().with_entry(entry(2))
