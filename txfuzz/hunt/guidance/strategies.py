"""The strategies of a hunt, by name."""

from __future__ import annotations

from txfuzz.hunt.generate import ProgramSource, RandomSource, SystematicSource
from txfuzz.hunt.guidance.guided import GuidedSource
from txfuzz.hunt.scope import Scope

STRATEGIES = ("random", "systematic", "guided")


def source_named(name: str, scope: Scope, seed: int, *, serial: bool = True) -> ProgramSource:
    """name: one of STRATEGIES. serial: see RandomSource."""
    if name == "systematic":
        return SystematicSource(scope, seed)
    return (RandomSource if name == "random" else GuidedSource)(scope, seed, serial=serial)
