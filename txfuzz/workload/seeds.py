"""One root seed; everything that is chosen at random draws from a stream of its own."""

from __future__ import annotations

import random


def stream(seed: int, *path: str | int) -> random.Random:
    """The stream of random numbers that this seed gives to this purpose, on every machine.

    path: what the stream is for, e.g. ("iteration", 2, "asking").
    """
    return random.Random("/".join(map(str, (seed, *path))))
