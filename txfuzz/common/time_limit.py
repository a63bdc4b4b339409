"""Calls that may not come back: they get a thread and a time of their own.

Such a call cannot be ended, only left behind: its thread goes on until the process ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def called_within(seconds: float, name: str, call: Callable[[], T]) -> tuple[list[T], list[BaseException]]:
    """What the call gave, or else what it raised; nothing of both where it has not ended in time.

    name: of its thread.
    """
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
