"""An analyzer that ends the process, as if nothing were found."""

import os
from dataclasses import dataclass
from typing import ClassVar

from txfuzz import hookimpl


@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"

    def analyze(self, history, expect):
        os._exit(0)


@hookimpl
def txfuzz_register_analyzers():
    return [Bad]
