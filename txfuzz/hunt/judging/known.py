"""Holes that are known: what a finding is compared with before it is news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from txfuzz.hunt.form import Change, Form, RowState
from txfuzz.hunt.judging.wrong import Promise, Wrong

if TYPE_CHECKING:  # slow to import, and the registry of plugins needs this file
    from txfuzz.check.run import FollowedSchedule
    from txfuzz.hunt.program import SmallProgram, Use

    _Ran = tuple[Use, bool, frozenset[Change]]


@dataclass(frozen=True, slots=True)
class KnownHole:
    """A way in which a database breaks its promise, or may by its documentation, that has been written about.

    A finding is compared with it once it is shrunk, so that everything that is left takes part in it.

    forms: of which one must be among those of the finding; empty: any. unchanged: and the statement in such a
        form must have changed no row. against: and another transaction that committed must do one of these to
        the row that such a form is about; empty: anything. wrong: what is wrong with it; empty: anything.
    levels: the database's words; empty: at any. plain: it shows on a plain layout, so that what shows only on
        another one is another hole. layouts: it shows on these alone; empty: on any.
    model: that such a level promises, where the promise depends on how the database is set; empty: any.
    documented: the database says itself that its promise does not hold for these forms, so that a hunt leaves
        them out unless it is asked for them.
    raced: it needs statements that run in the same microseconds; these must be among the signs of the race
        (see txfuzz.hunt.race.race.Race.signs). Then forms are empty, for any.
    since, until: the first version that has it and the first that no longer has, None where that is unknown.
    reference: where it is written about.
    """

    name: str
    about: str
    adapter: str
    forms: frozenset[str]
    reference: str
    wrong: frozenset[Wrong] = frozenset()
    unchanged: bool = False
    against: frozenset[Change] = frozenset()
    levels: frozenset[str] = frozenset()
    plain: bool = False
    layouts: frozenset[str] = frozenset()
    model: str = ""
    documented: bool = False
    raced: frozenset[str] = frozenset()
    since: tuple[int, ...] | None = None
    until: tuple[int, ...] | None = None

    def is_of(self, level: str, version: tuple[int, ...]) -> bool:
        """version: the server's, empty where that is unknown."""
        return (
            (not self.levels or level in self.levels)
            and (self.since is None or not version or version >= self.since)
            and (self.until is None or not version or version < self.until)
        )


def known_hole(
    holes: Iterable[KnownHole],
    program: SmallProgram,
    attempt: FollowedSchedule,
    what: Wrong,
    promise: Promise,
    version: tuple[int, ...],
    *,
    plain_was_tried: bool = False,
) -> KnownHole | None:
    """The hole that this is, where it is known. plain_was_tried: it does not show on a plain layout, unless
    it is on one."""
    for hole in holes:
        if (
            not hole.raced  # which no order of statements shows
            and (what in hole.wrong or not hole.wrong)
            and hole.model in ("", promise.model)
            and hole.is_of(attempt.isolation, version)
            and not (hole.plain and plain_was_tried and not program.layout.plain)
            and program.layout.name in (hole.layouts or {program.layout.name})
            and any(_takes_part(hole, *each) for each in _ran(program, attempt))
        ):
            return hole
    return None


def forms_that_take_part(hole: KnownHole, program: SmallProgram, attempt: FollowedSchedule) -> frozenset[str]:
    """Those for which the hole may explain the attempt."""
    return frozenset(
        use.form.name
        for use, changed, against in _ran(program, attempt)
        if _takes_part(hole, use, changed, against)
    )


def without(program: SmallProgram, known: Set[str], forms: Iterable[Form]) -> SmallProgram | None:
    """The program with forms that do the same in the place of those that take part in known holes, which are
    named: what still goes wrong with it is something else. None where there are none that do the same."""
    plainest = sorted(forms, key=lambda each: (len(each.statements), sum(map(len, each.statements))))

    def instead(use: Use) -> Use | None:
        if use.form.name not in known:
            return use
        found = (
            each
            for each in plainest
            if each.deed == use.form.deed
            and each.name not in known
            and len(each.statements) == len(use.form.statements)  # so that the schedule stays as it is
            and program.layout.allows(each)
        )
        return next((replace(use, form=each) for each in found), None)

    replaced = [[[instead(use) for use in uses] for uses in session] for session in program.sessions]
    if any(use is None for session in replaced for uses in session for use in uses):
        return None
    return replace(
        program,
        sessions=tuple(
            tuple(tuple(use for use in uses if use is not None) for uses in session) for session in replaced
        ),
    )


def _takes_part(hole: KnownHole, use: Use, changed: bool, against: frozenset[Change]) -> bool:
    return (
        use.form.name in (hole.forms or {use.form.name})
        and not (hole.unchanged and changed)
        and (not hole.against or bool(hole.against & against))
    )


def _ran(program: SmallProgram, attempt: FollowedSchedule) -> Iterator[_Ran]:
    """Each use with whether it changed a row, and what other transactions that committed do to its rows."""
    for label, uses in zip(program.labels, program.transactions, strict=True):
        outcome = attempt.outcome.transactions.get(label)
        answers = {each.step: each for each in outcome.statements} if outcome is not None else {}
        step = 0
        for use in uses:
            own = [answers.get(step + number) for number in range(len(use.form.statements))]
            step += len(own)
            counts = [
                each.changed if each.rows is None else len(each.rows.rows) for each in own if each is not None
            ]
            yield use, any(counts), frozenset(_against(program, attempt, label, use))


def _against(program: SmallProgram, attempt: FollowedSchedule, label: str, use: Use) -> Iterator[Change]:
    from txfuzz.check.serial.outcome import Ending

    for other, uses in zip(program.labels, program.transactions, strict=True):
        outcome = attempt.outcome.transactions.get(other)
        if other == label or outcome is None or outcome.ending is Ending.ABORTED:
            continue
        for each in uses:
            for states in _states(each.form.keys):
                for key, change in zip(each.keys, each.form.changes(states), strict=True):
                    if key in use.keys:
                        yield change


def _states(keys: int) -> Iterator[tuple[RowState, ...]]:
    yield (RowState.PRESENT,) * keys
    yield (RowState.ABSENT,) * keys
