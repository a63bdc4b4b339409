"""The interleavings of a program that can differ: those that commuting steps turn into each other are one.

The statements of two transactions commute unless they conflict. The first statement of a transaction
settles what it sees, so it does not commute with a COMMIT, nor do the COMMITs of two transactions. Of each
class the least member in lexicographic order is run (Cartier & Foata 1969; Mazurkiewicz 1977), and none of
those in which the transactions do not overlap at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import factorial, prod
from random import Random

from txfuzz.hunt.conflicts import Conflicts
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.schedules.prediction import Prediction

_MOST_ENUMERATED = 1_000  # more interleavings than these, or than these times what is asked for,
_OF_FEW = 6  # are drawn by chance
_DRAWS = 4  # for each that is asked for
_TELLING = 0.85  # of the programs are run in interleavings that can tell, as far as there are any

Interleaving = tuple[int, ...]  # transactions by number, one for each of their points


class Interleavings:
    """Of one program."""

    def __init__(self, program: SmallProgram) -> None:
        self._program = program
        self._points = program.points
        self._conflicts = Conflicts(program)
        self._use_at = [
            [number for number, use in enumerate(uses) for _ in use.form.statements]
            for uses in program.transactions
        ]
        place = 0
        self._after: dict[int, int] = {}  # of a session's transaction: the one before
        for session in program.sessions:
            for at in range(place + 1, place + len(session)):
                self._after[at] = at - 1
            place += len(session)
        points = [(at, i) for at, count in enumerate(self._points) for i in range(count)]
        self._commuting = {
            step: frozenset(other for other in points if self._commute(step, other)) for step in points
        }
        self._serial = {
            self.least(tuple(at for at in order for _ in range(self._points[at])))
            for order in permutations(range(len(self._points)))
            if all(order.index(before) < order.index(at) for at, before in self._after.items())
        }

    def all(self, random: Random, most: int) -> tuple[Interleaving, ...]:
        """Those that can differ, or as many by chance as there is an end to the draws; in random order, but
        mostly those first that can tell (see txfuzz.hunt.schedules.prediction)."""
        number = factorial(sum(self._points)) // prod(map(factorial, self._points))
        found: dict[Interleaving, None] = {}
        if number <= min(_MOST_ENUMERATED, _OF_FEW * most):
            for each in self._enumerated(list(self._points), ()):
                found[self.least(each)] = None
        else:
            for _ in range(_DRAWS * most):
                found[self.least(self._drawn(random))] = None
                if len(found) > most + len(self._serial):
                    break
        left = [each for each in found if each not in self._serial]
        random.shuffle(left)
        if len(left) > most and random.random() < _TELLING:
            prediction = Prediction(self._program)
            left.sort(
                key=lambda each: not (prediction.snapshots_tell(each) or prediction.statements_tell(each))
            )
        return tuple(left[:most])

    def _ready(self, left: Sequence[int]) -> Iterator[int]:
        for at, points in enumerate(left):
            if points and not (at in self._after and left[self._after[at]]):
                yield at

    def _enumerated(self, left: list[int], done: Interleaving) -> Iterator[Interleaving]:
        if not any(left):
            yield done
        for at in self._ready(left):
            left[at] -= 1
            yield from self._enumerated(left, (*done, at))
            left[at] += 1

    def _drawn(self, random: Random) -> Interleaving:
        left, done = list(self._points), []
        while any(left):
            at = random.choice(tuple(self._ready(left)))
            left[at] -= 1
            done.append(at)
        return tuple(done)

    def least(self, interleaving: Interleaving) -> Interleaving:
        """The same for all that commuting steps turn into each other."""
        counts = [0] * len(self._points)
        steps = []
        for at in interleaving:
            steps.append((at, counts[at]))
            counts[at] += 1
        result = []
        while steps:
            chosen = 0
            for number in range(1, len(steps)):
                step = steps[number]
                if step[0] < steps[chosen][0] and self._commuting[step].issuperset(steps[:number]):
                    chosen = number
            result.append(steps.pop(chosen)[0])
        return tuple(result)

    def _commute(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        (a, i), (b, j) = one, other
        if a == b or self._after.get(a) == b or self._after.get(b) == a:
            return False
        one_commits, other_commits = i == self._points[a] - 1, j == self._points[b] - 1
        if one_commits and other_commits:
            return False
        if one_commits:
            return j > 0 and not self._meets(b, j, a)
        if other_commits:
            return i > 0 and not self._meets(a, i, b)
        return not self._conflicts.weight((a, self._use_at[a][i]), (b, self._use_at[b][j]))

    def _meets(self, one: int, point: int, other: int) -> bool:
        use = self._use_at[one][point]
        return any(self._conflicts.weight((one, use), (other, number)) for number in set(self._use_at[other]))
