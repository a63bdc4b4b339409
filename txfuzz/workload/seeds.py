"""Streams of random numbers, all derived from one seed."""

from __future__ import annotations

import random


def stream(seed: int, *path: str | int) -> random.Random:
    """The stream of random numbers for this seed and purpose, the same on every machine.

    path: the purpose, e.g. ("iteration", 2, "asking").
    """
    return random.Random("/".join(map(str, (seed, *path))))
