"""A fault that tells of what no file can hold."""

from dataclasses import dataclass
from typing import ClassVar

from txfuzz import hookimpl


@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "badf"
    about: ClassVar[str] = "misbehaves"
    needs: ClassVar[str] = "pause"
    lasts: ClassVar[float] = 0.0

    def cautions(self, database):
        return ()

    def inject(self, injector, chance):
        return {"a b\x1b[31m": object(), "x": float("nan")}

    def heal(self, injector):
        return {}


@hookimpl
def txfuzz_register_faults():
    return [Bad]
