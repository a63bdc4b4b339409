"""Attempts whose operations go into one history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from txfuzz.replay.stepper.logical_keys import renamed
from txfuzz.replay.stepper.recorder import Recorded, RecordedOperation


class KeysApart:
    """Gives each attempt keys that none before it has.

    Only attempts on the workload's own tables need it: their keys are the same each time, and each attempt
    takes what earlier ones have left for its beginning. As one history on one key they would contradict each
    other.
    """

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._last = 0

    def apart(self, operations: Sequence[Recorded]) -> tuple[Recorded, ...]:
        """operations: of one attempt. Keys that are new stay as they are."""
        own = [each for each in operations if isinstance(each, RecordedOperation)]
        keys = {key for each in own for _, key, _ in each.mops if key is not None}
        self._last = max(self._last, *keys, 0)
        names = {}
        for key in sorted(keys & self._used):
            self._last += 1
            names[key] = self._last
        self._used |= keys | set(names.values())
        if not names:
            return tuple(operations)
        return tuple(
            replace(each, mops=tuple(renamed(mop, names) for mop in each.mops))
            if isinstance(each, RecordedOperation)
            else each
            for each in operations
        )
