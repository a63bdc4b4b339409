"""What each of several choices has brought, and which to take next: a bandit.

Thompson sampling (Thompson 1933; Chapelle and Li 2011) on a rate, what is gained per 100 transactions: its
distribution given what was gained so far is a Gamma distribution, from which one draw is taken for every
choice, and the highest draw wins. A choice that was tried little has a wide distribution and is tried again;
one that brings nothing is tried less and less, but never not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

PER = 100  # transactions
_PRIOR_GAIN, _PRIOR_SPENT = 1.0, 1.0  # as if it had once brought 1 in PER transactions


@dataclass(frozen=True, slots=True)
class Yield:
    """gained: how much, in the unit of whoever gives credit. spent: transactions. tried: how often."""

    gained: float = 0.0
    spent: int = 0
    tried: int = 0

    @property
    def rate(self) -> float:
        """Gained per PER transactions."""
        return PER * self.gained / self.spent if self.spent else 0.0

    def __str__(self) -> str:
        times = "once" if self.tried == 1 else f"{self.tried} times"
        return f"{self.rate:.3g} per {PER} transactions, tried {times}" if self.tried else "not tried"


@dataclass(frozen=True)
class Credit:
    """yields: choice → what it has brought."""

    yields: Mapping[str, Yield]

    @classmethod
    def of(cls, choices: Sequence[str]) -> Credit:
        return cls(dict.fromkeys(choices, Yield()))

    def given(self, choice: str, gained: float, spent: int) -> Credit:
        """With what this choice has brought once more."""
        before = self.yields.get(choice, Yield())
        after = Yield(before.gained + gained, before.spent + spent, before.tried + 1)
        return Credit({**self.yields, choice: after})

    def choose(self, random: Random, among: Sequence[str]) -> str:
        """One of these, which must not be empty."""
        return max(among, key=lambda choice: self._draw(random, choice))

    def _draw(self, random: Random, choice: str) -> float:
        found = self.yields.get(choice, Yield())
        return random.gammavariate(_PRIOR_GAIN + found.gained, 1 / (_PRIOR_SPENT + found.spent / PER))
