"""Makes a program smaller and plainer as long as it goes wrong in the same way.

Delta debugging (Zeller & Hildebrandt 2002) one element at a time: a statement less, a plainer way of writing
it, a row less, a plainer layout. The schedule is searched anew each time, and so shrinks with the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from txfuzz.check.run import FollowedSchedule
from txfuzz.hunt.form import Form
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use, Uses

# How a program goes wrong in the same way as the one that is shrunk; None where it does not
Try = Callable[[SmallProgram], FollowedSchedule | None]


def shrink(
    program: SmallProgram,
    attempt: FollowedSchedule,
    forms: Sequence[Form],
    layouts: Sequence[Layout],
    attempted: Try,
) -> tuple[SmallProgram, FollowedSchedule]:
    """forms, layouts: that may be used instead."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in candidates(program, forms, layouts):
            found = attempted(candidate)
            if found is not None:
                program, attempt, smaller = candidate, found, True
                break
    return program, attempt


def candidates(
    program: SmallProgram, forms: Sequence[Form], layouts: Sequence[Layout]
) -> Iterator[SmallProgram]:
    """Each a little smaller or plainer than the program, those that leave most out first."""
    yield from _with_fewer_statements(program)
    for layout in layouts if not program.layout.plain else ():
        if layout.plain and all(layout.allows(form) for form in program.forms):
            yield replace(program, layout=layout)
    yield from _with_plainer_forms(program, forms)


def _with_fewer_statements(program: SmallProgram) -> Iterator[SmallProgram]:
    for at, session in enumerate(program.sessions):
        if len(program.sessions) > 2:
            yield replace(program, sessions=(*program.sessions[:at], *program.sessions[at + 1 :]))
        for number, uses in enumerate(session):
            for place in range(len(uses) - 1, -1, -1):
                left = (*uses[:place], *uses[place + 1 :])
                transactions = (*session[:number], *((left,) if left else ()), *session[number + 1 :])
                if transactions:
                    yield _with_session(program, at, transactions)


def _with_plainer_forms(program: SmallProgram, forms: Sequence[Form]) -> Iterator[SmallProgram]:
    for at, session in enumerate(program.sessions):
        for number, uses in enumerate(session):
            for place, use in enumerate(uses):
                for form in _plainer(use.form, forms):
                    for keys in [use.keys] if form.keys == len(use.keys) else [(key,) for key in use.keys]:
                        if program.layout.allows(form):
                            written = (*uses[:place], Use(form, keys), *uses[place + 1 :])
                            transactions = (*session[:number], written, *session[number + 1 :])
                            yield _with_session(program, at, transactions)


def _with_session(program: SmallProgram, at: int, transactions: tuple[Uses, ...]) -> SmallProgram:
    return replace(program, sessions=(*program.sessions[:at], transactions, *program.sessions[at + 1 :]))


def _plainer(form: Form, forms: Sequence[Form]) -> list[Form]:
    """The plainest form of each deed, as far as it is plainer; those that do the same first."""
    plainest: dict[object, Form] = {}
    for each in sorted(forms, key=lambda each: each.plainness):
        plainest.setdefault(each.deed, each)
    found = [each for each in plainest.values() if each.plainness < form.plainness]
    return sorted(found, key=lambda each: (each.deed != form.deed, each.plainness))
