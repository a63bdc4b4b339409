"""What `with` needs of whoever can be closed."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closeable:
    """Is closed where its `with` ends. To be subclassed."""

    def close(self) -> None:
        """Let go of everything; idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
