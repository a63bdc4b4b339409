"""A base class for context managers."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closeable:
    """Closed at the end of its `with`. To be subclassed."""

    def close(self) -> None:
        """Release everything; idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
