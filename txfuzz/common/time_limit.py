"""Calls with a time limit.

A call that takes too long cannot be ended, only abandoned: its thread runs until the process ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def called_within(seconds: float, name: str, call: Callable[[], T]) -> tuple[list[T], list[BaseException]]:
    """([result], []) or ([], [exception]) of the call; ([], []) if it takes too long. name: of its thread."""
    values: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            values.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    return values, errors
