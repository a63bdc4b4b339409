"""Processes that are no integers: while a history is read, each name has a number of its own.

Elle knows clients by integers and passes over everything else as the nemesis. Other recorders call
theirs "worker-1" or :client; what such a process does counts here like anybody's.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from txfuzz.history.columns.growing import NO_PROCESS
from txfuzz.history.values import Keyword, edn, identity

# Integers in a file are nearer to 0 than this, and so far from all numbers that names get.
LARGEST_PROCESS = (1 << 62) - 1
FIRST_NAMED = NO_PROCESS + 1


class Processes:
    """The names of processes so far. tokens: by the text of a name, the text of its number."""

    def __init__(self) -> None:
        self.names: list[Any] = []
        self.tokens: dict[bytes, bytes] = {}
        self._known: dict[Hashable, bytes] = {}

    def knows(self, name: Any) -> bool:
        return identity(name) in self._known

    def token(self, name: Any) -> bytes:
        """What stands for the process in the columns."""
        found = self._known.get(identity(name))
        if found is None:
            found = b"%d" % (FIRST_NAMED + len(self.names))
            self._known[identity(name)] = self.tokens[edn(name).encode("utf-8", "replace")] = found
            self.names.append(name)
        return found

    def text(self, token: bytes) -> str:
        """A process as a message names it."""
        number = int(token)
        if number == NO_PROCESS:
            return "an operation without a process"
        return f"process {number if number >= -LARGEST_PROCESS else called(self.names[number - FIRST_NAMED])}"


def called(name: Any) -> str:
    """A process as people call it, be it a keyword (in EDN) or a string (in JSON)."""
    return name.name if isinstance(name, Keyword) else name if isinstance(name, str) else edn(name)
