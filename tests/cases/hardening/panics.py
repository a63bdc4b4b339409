"""An analyzer whose native code panics."""

from dataclasses import dataclass
from typing import ClassVar

from txfuzz import hookimpl


class PanicException(BaseException):
    pass


@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"

    def analyze(self, history, expect):
        raise PanicException("rust panicked")


@hookimpl
def txfuzz_register_analyzers():
    return [Bad]
