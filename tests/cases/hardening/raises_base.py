"""A heuristic that raises past Exception, with an escape in what it says."""

from dataclasses import dataclass
from typing import ClassVar

from txfuzz import hookimpl


class Odd(BaseException):
    pass


@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"

    def propose(self, feedback, workload, random):
        raise Odd("\x1b[31mboo")


@hookimpl
def txfuzz_register_heuristics():
    return [Bad]
