"""The workloads of a campaign that reached something first, and which of them to change next.

As in a coverage-guided fuzzer (AFL's queue and power schedules; Böhme, Pham and Roychoudhury 2016): an
entry's energy says how much is expected of its neighbours. It is high for what was seldom seen, for
structures near a cycle, and low for an entry that was often chosen already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from txfuzz.analysis.dependencies.coverage import Feature
from txfuzz.feedback.learning.coverage_map import CoverageMap
from txfuzz.workload.model import Workload

_PER = 100  # transactions
_NEARNESS = 4.0  # energy of a near-cycle of score 1


@dataclass(frozen=True)
class CorpusEntry:
    """A workload, and what it was the first to show.

    iteration: which one ran it, counted from 0. parent: number of the entry that it was made from; the first
    has none. by: the mutators that made it. seen: how often it showed each feature. first: the features that
    nothing before it had shown. nearest: score of its nearest near-cycle. chosen: how often it was changed
    again.
    """

    number: int
    workload: Workload
    iteration: int
    transactions: int
    seen: Mapping[Feature, int]
    first: tuple[Feature, ...]
    parent: int | None = None
    by: tuple[str, ...] = ()
    nearest: float = 0.0
    chosen: int = 0


@dataclass(frozen=True)
class Corpus:
    entries: tuple[CorpusEntry, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[CorpusEntry]:
        return iter(self.entries)

    def with_entry(self, entry: CorpusEntry) -> Corpus:
        """entry.number must be the length of the corpus."""
        if entry.number != len(self):
            raise ValueError(f"entry {entry.number} cannot follow {len(self)} entries")
        return Corpus((*self.entries, entry))

    def choose(self, random: Random, covered: CoverageMap) -> tuple[CorpusEntry, Corpus]:
        """An entry, by chance in proportion to its energy, and the corpus that knows that it was chosen."""
        energies = [energy(entry, covered) for entry in self.entries]
        [chosen] = random.choices(self.entries, energies if any(energies) else None)
        return chosen, Corpus(
            tuple(
                replace(each, chosen=each.chosen + 1) if each.number == chosen.number else each
                for each in self.entries
            )
        )


def energy(entry: CorpusEntry, covered: CoverageMap) -> float:
    """Of rare features, those that it shows at least once in _PER transactions count in full."""
    transactions = max(entry.transactions, 1)
    rare = sum(
        covered.rarity(feature) * min(1.0, _PER * count / transactions)
        for feature, count in entry.seen.items()
    )
    return (rare + _NEARNESS * entry.nearest) / (1 + entry.chosen)


def lineage(corpus: Sequence[CorpusEntry] | Corpus, number: int) -> tuple[CorpusEntry, ...]:
    """The entry of this number, its parent, and so on to the first."""
    entries = tuple(corpus)
    line = [entries[number]]
    while (parent := line[-1].parent) is not None:
        line.append(entries[parent])
    return tuple(line)
