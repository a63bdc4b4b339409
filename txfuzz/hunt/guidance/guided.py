"""`guided`: programs that covered something new are kept, and their neighbours are tried.

Coverage-guided fuzzing (AFL, Zalewski 2013; energy after Böhme et al. 2016) with programs for inputs: one
that reached what none before it had reached joins the corpus. Every second program is one of the corpus with
one element changed, the others are drawn as `random` does. What the database let pass is worth more than what
it aborted, and each choice of a program makes the next one less likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.check.run import FollowedSchedule
from txfuzz.hunt.generate import RandomSource
from txfuzz.hunt.guidance.coverage import all_committed, covered
from txfuzz.hunt.guidance.mutation import mutated
from txfuzz.hunt.program import SmallProgram, canonical, program_of
from txfuzz.hunt.scope import Scope

_MUTATED = 0.5  # of the programs, once there is a corpus
_LET_PASS = 4.0  # what a schedule is worth in which all committed
_MOST = 400  # programs in the corpus


@dataclass
class _Kept:
    program: SmallProgram
    worth: float
    chosen: int = 0

    @property
    def energy(self) -> float:
        return self.worth / (1 + self.chosen) ** 2


class GuidedSource:
    """A ProgramSource that learns; the same for the same seed and the same answers of the database."""

    def __init__(self, scope: Scope, seed: int, *, serial: bool = True) -> None:
        self._scope, self._seed = scope, seed
        self._fresh = RandomSource(scope, seed, serial=serial)
        self._corpus: list[_Kept] = []
        self._covered: set[str] = set()
        self._ran: set[int] = set()

    def program(self, number: int) -> SmallProgram | None:
        random = Random(f"{self._seed} guided {number}")
        if not self._corpus or random.random() >= _MUTATED:
            return self._fresh.program(number)
        [kept] = random.choices(self._corpus, [each.energy for each in self._corpus])
        # Tables are not made anew for each program, so the layout is the one whose turn it is
        layout = self._fresh.layout(number)
        if not all(layout.allows(form) for form in kept.program.forms):
            return self._fresh.program(number)
        before = replace(kept.program, layout=layout)
        changed = mutated(before, self._fresh.deeds(layout), self._scope, random)
        if changed == before or not self._fresh.worth_running(changed, random):
            return None
        changed = canonical(changed)
        sign = Random(repr(changed.sign())).getrandbits(64)  # hash() differs from process to process
        if sign in self._ran:
            return None
        kept.chosen += 1
        self._ran.add(sign)
        return changed

    def learn(self, program: SmallProgram, attempt: FollowedSchedule) -> None:
        new = covered(program, attempt) - self._covered
        if not new:
            return
        self._covered |= new
        worth = len(new) * (_LET_PASS if all_committed(attempt) else 1.0)
        if self._corpus and self._corpus[-1].program == program:  # another interleaving of it
            self._corpus[-1].worth += worth
            return
        self._corpus.append(_Kept(program, worth))
        if len(self._corpus) > _MOST:
            self._corpus.remove(min(self._corpus, key=lambda each: each.energy))

    def state(self) -> dict[str, Any]:
        """All that it has learnt, for JSON."""
        return {
            "corpus": [[each.program.sign(), each.worth, each.chosen] for each in self._corpus],
            "covered": sorted(self._covered),
            "ran": sorted(self._ran),
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """state: of state(), by way of JSON."""
        corpus: Sequence[Any] = state["corpus"]
        self._corpus = [
            _Kept(program_of(sign, self._scope.forms, self._scope.layouts), worth, chosen)
            for sign, worth, chosen in corpus
        ]
        self._covered, self._ran = set(state["covered"]), set(state["ran"])

    def merge(self, state: Mapping[str, Any]) -> None:
        """state: of another one's state()."""
        other = GuidedSource(self._scope, self._seed)
        other.resume(state)
        own = {each.program.sign(): each for each in self._corpus}
        for kept in other._corpus:
            known = own.get(kept.program.sign())
            if known is None:
                self._corpus.append(kept)
            else:
                known.worth = max(known.worth, kept.worth)
                known.chosen = max(known.chosen, kept.chosen)
        self._corpus = sorted(self._corpus, key=lambda each: each.energy, reverse=True)[:_MOST]
        self._covered |= other._covered
        self._ran |= other._ran
