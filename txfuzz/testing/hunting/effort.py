"""How many schedules a source of programs needs until a planted hole shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.hunt.generate import LearningSource, ProgramSource
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.schedules.interleavings import Interleavings
from txfuzz.testing.hunting.holes import Hole
from txfuzz.testing.hunting.runner import MemoryRunner


@dataclass(frozen=True)
class Effort:
    """schedules: that were run, the one that showed the hole included. programs: that they are of.
    found: the program of that schedule, None if none did. committed: schedules all of whose transactions
    did."""

    schedules: int
    programs: int
    found: SmallProgram | None
    committed: int


def effort(
    source: ProgramSource,
    seed: int,
    *,
    each: int,
    most: int,
    begin: int = 0,
    hole: Hole | None = None,
    on_program: Callable[[SmallProgram], None] = lambda program: None,
) -> Effort:
    """As txfuzz.hunt.hunt.Hunt goes about it. each: interleavings of a program. most: schedules. begin: the
    number of the first program."""
    schedules = programs = committed = 0
    for number in count(begin):
        try:
            program = source.program(number)
        except IndexError:
            break
        if program is None:
            continue
        programs += 1
        on_program(program)
        runner = MemoryRunner(program, hole, Random(f"{seed} hole {number}"))
        for interleaving in Interleavings(program).all(Random(f"{seed} schedules {number}"), each):
            attempt = runner.follow(interleaving)
            schedules += 1
            committed += not any(end.code for end in attempt.outcome.transactions.values())
            if attempt.judgement.answer is not SerialAnswer.EXPLAINED:
                return Effort(schedules, programs, program, committed)
            if isinstance(source, LearningSource):
                source.learn(program, attempt)
            if schedules >= most:
                return Effort(schedules, programs, None, committed)
    return Effort(schedules, programs, None, committed)
