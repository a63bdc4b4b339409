"""A program with one element changed: a statement, its form, the state of a row, an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from txfuzz.hunt.form import RowState
from txfuzz.hunt.program import SmallProgram, Use, Uses
from txfuzz.hunt.scope import Deed, Scope

Mutation = Callable[[SmallProgram, Sequence[Deed], Scope, Random], SmallProgram]


def mutated(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    """deeds: that the program's layout allows. It may come out as it was, or as no program worth running."""
    return random.choices(list(_MUTATIONS), list(_MUTATIONS.values()))[0](program, deeds, scope, random)


def _statement(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    deed = random.choice(deeds)
    return _with_use(program, random, lambda use: Use(deed.drawn(random), deed.keys))


def _form(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    def rewritten(use: Use) -> Use:
        alike = [each for each in deeds if each.keys == use.keys and use.form in each.forms]
        return Use(alike[0].drawn(random), use.keys) if alike else use

    return _with_use(program, random, rewritten)


def _keys(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    def moved(use: Use) -> Use:
        return Use(use.form, tuple(random.sample(range(len(program.states)), len(use.keys))))

    return _with_use(program, random, moved)


def _state(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    at = random.randrange(len(program.states))
    other = RowState.ABSENT if program.states[at] is RowState.PRESENT else RowState.PRESENT
    return replace(program, states=(*program.states[:at], other, *program.states[at + 1 :]))


def _order(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    def turned(uses: Uses) -> Uses:
        if len(uses) < 2:
            return uses
        at = random.randrange(len(uses) - 1)
        return (*uses[:at], uses[at + 1], uses[at], *uses[at + 2 :])

    return _with_transaction(program, random, turned)


def _one_more(program: SmallProgram, deeds: Sequence[Deed], scope: Scope, random: Random) -> SmallProgram:
    deed = random.choice(deeds)
    new = Use(deed.drawn(random), deed.keys)

    def longer(uses: Uses) -> Uses:
        at = random.randint(0, len(uses))
        return (*uses[:at], new, *uses[at:])

    grown = _with_transaction(program, random, longer)
    fits = all(sum(map(len, session)) <= scope.statements for session in grown.sessions)
    return grown if fits else program


_MUTATIONS: dict[Mutation, int] = {
    _statement: 4, _form: 3, _keys: 1, _state: 2, _order: 2, _one_more: 1
}  # fmt: skip


def _with_use(program: SmallProgram, random: Random, change: Callable[[Use], Use]) -> SmallProgram:
    def changed(uses: Uses) -> Uses:
        at = random.randrange(len(uses))
        return (*uses[:at], change(uses[at]), *uses[at + 1 :])

    return _with_transaction(program, random, changed)


def _with_transaction(program: SmallProgram, random: Random, change: Callable[[Uses], Uses]) -> SmallProgram:
    session = random.randrange(len(program.sessions))
    at = random.randrange(len(program.sessions[session]))
    chosen = program.sessions[session]
    new = (*chosen[:at], change(chosen[at]), *chosen[at + 1 :])
    return replace(program, sessions=(*program.sessions[:session], new, *program.sessions[session + 1 :]))
