"""`guided`: programs whose parts have been run least, and neighbours of those that covered something new.

Coverage-guided fuzzing (AFL, Zalewski 2013; energy after Böhme et al. 2016) with programs for inputs: one
that reached what none before it had reached joins the corpus, and some of the programs are one of the corpus
with one element changed. What the database let pass is worth more than what it aborted, and each choice of a
program makes the next one less likely. All others are drawn as `random` does, a few at a time, in several
ways to write each, of which the most novel is run: so forms meet each other, and layouts, evenly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.check.run import FollowedSchedule
from txfuzz.hunt.form import Form
from txfuzz.hunt.generate import PLAIN, RandomSource
from txfuzz.hunt.guidance.coverage import all_committed, covered
from txfuzz.hunt.guidance.mutation import mutated
from txfuzz.hunt.guidance.novelty import Novelty
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use, canonical, program_of
from txfuzz.hunt.scope import Scope

_MUTATED = 0.2  # of the programs, once there is a corpus
_MUTATIONS = 10  # that are tried until one is worth running
_DRAWN = 2  # programs of which the most novel is run,
_WAYS = 8  # and so many other ways to write them
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
        self._alike = {layout.name: _alike(scope, layout) for layout in scope.layouts}
        self._corpus: list[_Kept] = []
        self._covered: set[str] = set()
        self._novelty = Novelty()

    def program(self, number: int) -> SmallProgram | None:
        if number < PLAIN:
            return self._fresh.program(number)
        random = Random(f"{self._seed} guided {number}")
        # Tables are not made anew for each program, so the layout is the one whose turn it is
        layout = self._fresh.layout(number)
        if self._corpus and random.random() < _MUTATED:
            near = self._neighbour(layout, random)
            if near is not None:
                return canonical(near)
        drawn = (self._fresh.drawn(layout, random) for _ in range(_DRAWN))
        found = [each for each in drawn if each is not None]
        return self._most_novel(found, random) if found else None

    def _neighbour(self, layout: Layout, random: Random) -> SmallProgram | None:
        [kept] = random.choices(self._corpus, [each.energy for each in self._corpus])
        if not all(layout.allows(form) for form in kept.program.forms):
            return None
        kept.chosen += 1
        before = replace(kept.program, layout=layout)
        for _ in range(_MUTATIONS):
            changed = mutated(before, self._fresh.deeds(layout), self._scope, random)
            if changed != before and self._fresh.worth_running(changed, random):
                return changed
        return None

    def _most_novel(self, programs: Sequence[SmallProgram], random: Random) -> SmallProgram:
        """Of the programs, and of others that do and show the same."""
        others = [self._rewritten(random.choice(programs), random) for _ in range(_WAYS)]
        return canonical(max([*programs, *others], key=self._novelty.of))

    def _rewritten(self, program: SmallProgram, random: Random) -> SmallProgram:
        alike = self._alike[program.layout.name]

        def written(use: Use) -> Use:
            forms = alike[use.form.name]
            return Use(random.choices(forms, [form.weight for form in forms])[0], use.keys)

        sessions = tuple(tuple(tuple(map(written, uses)) for uses in session) for session in program.sessions)
        return replace(program, sessions=sessions)

    def learn(self, program: SmallProgram, attempt: FollowedSchedule) -> None:
        self._novelty.run(program)
        new = covered(program, attempt) - self._covered
        if not new:
            return
        self._covered |= new
        worth = len(new) * (_LET_PASS if all_committed(attempt) else 1.0)
        if self._corpus and self._corpus[-1].program == program:  # another interleaving of it
            self._corpus[-1].worth += worth
            return
        self._keep(_Kept(program, worth))

    def _keep(self, kept: _Kept) -> None:
        self._corpus.append(kept)
        if len(self._corpus) > _MOST:
            self._corpus.remove(min(self._corpus, key=lambda each: each.energy))

    def state(self) -> dict[str, Any]:
        """All that it has learnt, for JSON."""
        return {
            "corpus": [[each.program.sign(), each.worth, each.chosen] for each in self._corpus],
            "covered": sorted(self._covered),
            "run": self._novelty.state(),
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """state: of state(), by way of JSON."""
        self._corpus = self._corpus_of(state)
        self._covered, self._novelty = set(state["covered"]), Novelty()
        self._novelty.merge(state["run"])

    def merge(self, state: Mapping[str, Any]) -> None:
        """Of programs that both have kept, the one that is worth more stays, and of their counts the greater
        one: so being told the same again changes nothing."""
        known = {each.program.sign(): each for each in self._corpus}
        for kept in self._corpus_of(state):
            mine = known.get(kept.program.sign())
            if mine is None:
                self._keep(kept)
            else:
                mine.worth, mine.chosen = max(mine.worth, kept.worth), max(mine.chosen, kept.chosen)
        self._covered |= set(state["covered"])
        self._novelty.merge(state["run"])

    def _corpus_of(self, state: Mapping[str, Any]) -> list[_Kept]:
        corpus: Sequence[Any] = state["corpus"]
        return [
            _Kept(program_of(sign, self._scope.forms, self._scope.layouts), worth, chosen)
            for sign, worth, chosen in corpus
        ]


def _alike(scope: Scope, layout: Layout) -> dict[str, tuple[Form, ...]]:
    """For each form those that do and show the same."""
    kinds: dict[object, list[Form]] = {}
    allowed = [form for form in scope.forms if layout.allows(form)]
    for form in allowed:
        kinds.setdefault((form.deed, form.returns_rows), []).append(form)
    return {form.name: tuple(kinds[form.deed, form.returns_rows]) for form in allowed}
