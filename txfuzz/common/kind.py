"""The two kinds of history that the checker understands."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """Like Elle's workloads of the same names: lists that grow, and registers that are overwritten."""

    LIST_APPEND = "list-append"
    RW_REGISTER = "rw-register"
