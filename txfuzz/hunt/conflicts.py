"""Which statements of a program can conflict, and whether the program is worth running.

No outcome can be strange unless dependencies can run in a circle. So each transaction has to conflict with
others in such a way that no single conflict, if it were taken away, would part them into two groups: two
transactions conflict in two places, or both write in one; three conflict in a ring. And a statement that
conflicts with no other transaction does nothing that a smaller program would not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from txfuzz.hunt.form import Change, RowState
from txfuzz.hunt.program import SmallProgram, Use, Uses, mode_of


def reachable(program: SmallProgram) -> tuple[frozenset[RowState], ...]:
    """For each key the states that its row can come to be in, whatever runs when."""
    states = [{state} for state in program.states]
    while True:
        before = [set(each) for each in states]
        for use in program.uses:
            for key, change in _changes(use, states):
                if change is Change.INSERT:
                    states[key].add(RowState.PRESENT)
                elif change is Change.DELETE:
                    states[key].add(RowState.ABSENT)
        if program.layout.dependent and RowState.ABSENT in states[0]:
            for key in range(1, len(states)):
                states[key].add(RowState.ABSENT)
        if states == before:
            return tuple(frozenset(each) for each in states)


def _changes(use: Use, states: list[set[RowState]]) -> Iterator[tuple[int, Change]]:
    for found in product(*(states[key] for key in use.keys)):
        yield from zip(use.keys, use.form.changes(found), strict=True)


class Conflicts:
    """What the statements of a program touch and write. Statements by transaction and number, from 0."""

    def __init__(self, program: SmallProgram) -> None:
        states = [set(each) for each in reachable(program)]
        joined = program.layout.dependent  # a foreign key lets a statement on one row touch another
        everything = frozenset(range(len(program.states)))
        self._touched: list[list[frozenset[int]]] = []
        self._written: list[list[frozenset[int]]] = []
        for uses in program.transactions:
            touched, written = [], []
            for use in uses:
                writes = frozenset(key for key, change in _changes(use, states) if change.writes)
                touched.append(everything if joined and writes else frozenset(use.keys))
                written.append(everything if joined and writes else writes)
            self._touched.append(touched)
            self._written.append(written)

    def weight(self, one: tuple[int, int], other: tuple[int, int]) -> int:
        """0: they commute. 1: one of them can see what the other writes. 2: both write."""
        (a, i), (b, j) = one, other
        first = self._written[a][i] & self._touched[b][j]
        second = self._written[b][j] & self._touched[a][i]
        return int(bool(first)) + int(bool(second))

    @property
    def everywhere(self) -> bool:
        """Whether every statement conflicts with another transaction."""
        statements = [(at, i) for at, touched in enumerate(self._touched) for i in range(len(touched))]
        return all(
            any(self.weight(one, other) for other in statements if other[0] != one[0]) for one in statements
        )

    def between(self, one: int, other: int) -> int:
        """The conflicts of two transactions; one in which both write counts twice."""
        return sum(
            self.weight((one, i), (other, j))
            for i in range(len(self._touched[one]))
            for j in range(len(self._touched[other]))
        )


def worthwhile(program: SmallProgram) -> bool:
    """Whether dependencies can run in a circle through every transaction."""
    conflicts = Conflicts(program)
    number = len(program.transactions)
    if not conflicts.everywhere or any(map(_refused, program.transactions)):
        return False
    weights = {pair: conflicts.between(*pair) for pair in combinations(range(number), 2)}
    # One session's transactions never overlap, but what comes later depends on what came before
    place = 0
    for session in program.sessions:
        for at in range(place, place + len(session) - 1):
            weights[at, at + 1] += 1
        place += len(session)
    return all(
        _crossing(weights, group) > 1
        for size in range(1, number // 2 + 1)
        for group in combinations(range(number), size)
    )


def _refused(uses: Uses) -> bool:
    """Whether it would write although it is READ ONLY."""
    return mode_of(uses).read_only and any(use.form.writes for use in uses)


def looks_before_it_writes(program: SmallProgram) -> bool:
    """Whether one transaction, alone, shows what another one writes and then writes itself, or locks: what it
    goes by may be too old (lost update, read skew). What is only looked at a snapshot answers as it was."""
    alone = [written_alone(uses, program.states) for uses in program.transactions]
    return any(
        use.form.returns_rows and set(use.keys) & alone[other]
        for at, uses in enumerate(program.transactions)
        for place, use in enumerate(uses)
        if any(later.form.locks for later in uses[place + 1 :])
        for other in range(len(alone))
        if other != at
    )


def written_alone(uses: Sequence[Use], states: tuple[RowState, ...]) -> set[int]:
    return {key for key, _, _ in writes_alone(uses, states)}


def writes_alone(uses: Sequence[Use], states: tuple[RowState, ...]) -> Iterator[tuple[int, Use, Change]]:
    """What a transaction writes where no other one runs: the key, and by which statement."""
    now = list(states)
    for use in uses:
        for key, change in zip(use.keys, use.form.changes(tuple(now[key] for key in use.keys)), strict=True):
            if change.writes:
                yield key, use, change
                now[key] = RowState.ABSENT if change is Change.DELETE else RowState.PRESENT


def _crossing(weights: dict[tuple[int, int], int], group: tuple[int, ...]) -> int:
    return sum(weight for (a, b), weight in weights.items() if (a in group) != (b in group))
