"""Who waits for whom, told in the places of sessions; see txfuzz.database.api.SeesWaits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Waits = Mapping[int, frozenset[int]]  # who waits → for whom


def waits_by_place(numbers: Mapping[int, int], among: Callable[[Sequence[int]], Waits]) -> Waits:
    """numbers: place of a session → the server's number of it. among: asks the server, in such numbers."""
    places = {number: place for place, number in numbers.items()}
    return {
        places[waits]: frozenset(places[other] for other in blockers if other in places)
        for waits, blockers in among(list(places)).items()
    }
