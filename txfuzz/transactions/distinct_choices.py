"""Whether choices that must differ from each other can be made at all."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.transactions.model import Choice

_MOST_STEPS = 20_000  # of the search; beyond it the generator reports choices that cannot be made


def satisfiable(choices: Sequence[Choice]) -> bool:
    """choices: of one transaction, in order; distinct_from names earlier ones."""
    differs = _differing(choices)
    # A choice with more keys than it has others to differ from can always be made.
    while free := [number for number, others in differs.items() if len(choices[number].keys) > len(others)]:
        for number in free:
            for other in differs.pop(number):
                differs[other].discard(number)
    return _search({number: tuple(choices[number].keys) for number in differs}, differs)


def never_short(choices: Sequence[Choice]) -> bool:
    """Is there a key left for each choice, whatever the others are? choices: as above."""
    return all(len(choices[number].keys) > len(others) for number, others in _differing(choices).items())


def _differing(choices: Sequence[Choice]) -> dict[int, set[int]]:
    """Place of a choice → the places of those that must differ from it, or it from them."""
    places = {choice.name: number for number, choice in enumerate(choices) if choice.name is not None}
    differs: dict[int, set[int]] = {number: set() for number in range(len(choices))}
    for number, choice in enumerate(choices):
        for name in choice.distinct_from:
            differs[number].add(places[name])
            differs[places[name]].add(number)
    return differs


def _search(keys: dict[int, tuple[int, ...]], differs: dict[int, set[int]]) -> bool:
    order = sorted(keys, key=lambda number: len(keys[number]))
    taken: dict[int, int] = {}
    steps = 0

    def fits(at: int) -> bool:
        nonlocal steps
        if at == len(order):
            return True
        number = order[at]
        for key in keys[number]:
            steps += 1
            if steps > _MOST_STEPS:
                return True
            if all(taken.get(other) != key for other in differs[number]):
                taken[number] = key
                if fits(at + 1):
                    return True
                del taken[number]
        return False

    return fits(0)
