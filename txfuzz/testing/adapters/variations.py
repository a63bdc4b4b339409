"""Tests of what an adapter lets vary: forms of statements, plans, layouts, and rows that were deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import cycle
from typing import Any

import pytest

from txfuzz.analysis.result import Verdict
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Capabilities, Database, Outcome
from txfuzz.database.variations import (
    LAYOUT,
    VARIATION_KINDS,
    DeletesRows,
    TakesVariations,
    Variation,
    Varies,
    insert_rows,
    variations_of,
)
from txfuzz.testing.adapters.subject import AdapterSubject
from txfuzz.testing.sessions import WRITE, holding, plain, read, refusal, sessions, transact, write
from txfuzz.testing.small_run import fuzzed, pressing
from txfuzz.transactions.model import Step, Transaction
from txfuzz.workload.model import Workload

NOBODYS = "no-such-form"


class ChecksOfVariations(AdapterSubject):
    """The same transactions mean the same, and levels promise the same, however they are run."""

    # -- forms ----------------------------------------------------------------------------------

    def test_every_form_does_what_its_step_does(self, database: Database, can: Capabilities) -> None:
        if not can.forms:
            pytest.skip("it writes each step in one way (Capabilities.forms is empty)")
        assert set(can.forms) <= {"r", *WRITE.values()}, f"forms are of r, append and w, found {can.forms}"
        for kind in can.kinds:
            for form in can.forms.get(WRITE[kind], ()):
                self._writes(database, can, kind, form)
            for form in can.forms.get("r", ()):
                self._reads(database, can, kind, form)

    def _writes(self, database: Database, can: Capabilities, kind: Kind, form: str) -> None:
        """A row that is missing, one that is there, and others beside it."""
        level, f = can.default_isolation, WRITE[kind]
        database.prepare(kind, fresh=True)
        database.insert_rows(kind, range(20, 22))
        with sessions(database, kind, 2) as (session, other):
            transact(other, level, write(kind, 7, 70))
            steps = [_formed(write(kind, key, 10 * key + at), form) for at in (1, 2) for key in (3, 20)]
            transact(session, level, *steps)
            transact(session, level, _formed(write(kind, 3, 33), form))
            seen = transact(other, level, *(read(key) for key in (3, 20, 7, 21)))
            wanted = [
                holding(kind, 31, 32, 33),
                holding(kind, 201, 202),
                holding(kind, 70),
                holding(kind),
            ]
            assert list(map(plain, seen)) == wanted, (
                f"{f} as {form!r}: read {seen} afterwards, expected {wanted}"
            )
            session.begin(level)
            session.execute(_formed(write(kind, 3, 34), form))
            session.rollback()
            assert plain(transact(other, level, read(3))[0]) == holding(kind, 31, 32, 33), (
                f"{f} as {form!r}: what was rolled back is visible"
            )

    def _reads(self, database: Database, can: Capabilities, kind: Kind, form: str) -> None:
        level = can.default_isolation
        database.prepare(kind, fresh=True)
        database.insert_rows(kind, range(20, 22))
        with sessions(database, kind, 2) as (session, other):
            transact(session, level, write(kind, 3, 31), write(kind, 3, 32), write(kind, 4, 41))
            asked = [_formed(read(key), form) for key in (3, 20, 99)]
            own = [write(kind, 3, 33), _formed(read(3), form)]
            seen = transact(session, level, *asked, *own)
            wanted = [holding(kind, 31, 32), holding(kind), holding(kind), holding(kind, 31, 32, 33)]
            assert list(map(plain, seen)) == wanted, f"r as {form!r}: read {seen}, expected {wanted}"
            left = transact(other, level, read(3), read(4), read(99))
            assert list(map(plain, left)) == [holding(kind, 31, 32, 33), holding(kind, 41), holding(kind)], (
                f"r as {form!r}: it changed what is there to {left}"
            )

    def test_forms_that_it_does_not_have_are_refused(self, database: Database, can: Capabilities) -> None:
        if not can.forms:
            pytest.skip("it writes each step in one way (Capabilities.forms is empty)")
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            with sessions(database, kind, 1) as (session,):
                for step in (read(1), write(kind, 1, 1)):
                    session.begin(can.default_isolation)
                    refused = refusal(lambda: session.execute(_formed(step, NOBODYS)))  # noqa: B023
                    session.rollback()
                    assert refused is not None, f"{step.f} as {NOBODYS!r} was accepted"
                    assert refused.outcome is Outcome.BUG, (
                        f"an unknown form is reported as {refused.outcome}, not as a bug"
                    )

    def test_forms_keep_promises(
        self, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        """Each form of a write alone, then all beside each other."""
        if not can.forms:
            pytest.skip("it writes each step in one way (Capabilities.forms is empty)")
        for level in self.chosen(levels, can):
            for kind in can.kinds:
                writes = can.forms.get(WRITE[kind], ())
                for forms in (*((each,) for each in writes), writes):
                    workload = _with_forms(_pressing(kind), can.forms.get("r", ()), forms)
                    _keeps(database, can, workload, level, f"with writes as {', '.join(forms) or 'usual'}")

    # -- options --------------------------------------------------------------------------------

    def test_its_variations_make_sense(self, subject: Any, database: Database, can: Capabilities) -> None:
        self._varied(subject)
        told = subject.variations()
        assert isinstance(told, tuple), f"variations() returned {told!r}, expected a tuple"
        names = {each.name for each in fields(subject)}
        for each in told:
            assert isinstance(each, Variation), f"variations() has {each!r}, expected txfuzz.Variation"
            assert each.kind in VARIATION_KINDS, f"{each.option}: there is no kind {each.kind!r} of variation"
            assert each.option in names, f"{each.option!r} is no option of the adapter"
            assert len(set(each.values)) > 1, f"{each.option} has the values {each.values}: no choice"
            assert getattr(subject, each.option) in each.values, (
                f"{each.option} is {getattr(subject, each.option)!r}, which is not among its variations"
            )
            for value in each.values:
                changed = replace(subject, **{each.option: value})
                assert changed.capabilities() == can, (
                    f"{each.option} {value!r} changes what the adapter can do or promise"
                )
                assert changed.variations() == told, f"{each.option} {value!r} changes what may vary"
        assert len({each.option for each in told}) == len(told), "variations() names an option twice"
        assert isinstance(database, TakesVariations), "its databases have no vary()"

    def test_another_layout_makes_new_tables(
        self, subject: Any, database: Database, can: Capabilities
    ) -> None:
        """And nothing else does."""
        for each, value, usual in self._each_value(subject):
            for kind in can.kinds:
                _vary(database, {each.option: usual})
                database.prepare(kind, fresh=True)
                database.insert_rows(kind, range(20, 22))
                _vary(database, {each.option: value})
                highest = database.prepare(kind, fresh=False)
                _vary(database, {each.option: usual})
                made_anew = each.kind == LAYOUT and value != usual
                assert highest == (0 if made_anew else 21), (
                    f"with {each.option} {value!r} prepare() returns {highest}"
                )

    def test_variations_keep_promises(
        self, subject: Any, database: Database, can: Capabilities, levels: tuple[str, ...]
    ) -> None:
        for each, value, usual in self._each_value(subject):
            for level in self.chosen(levels, can):
                for kind in can.kinds:
                    _vary(database, {each.option: value})
                    try:
                        _keeps(database, can, _pressing(kind), level, f"with {each.option} {value!r}")
                    finally:
                        _vary(database, {each.option: usual})

    def _varied(self, subject: Any) -> None:
        if not isinstance(subject, Varies):
            pytest.skip("none of its options may be varied (it has no variations())")

    def _each_value(self, subject: Any) -> Iterator[tuple[Variation, Any, Any]]:
        """With the value that the adapter under test has."""
        self._varied(subject)
        for each in variations_of(subject):
            for value in each.values:
                yield each, value, getattr(subject, each.option)

    # -- rows -----------------------------------------------------------------------------------

    def test_deleted_rows_are_as_if_they_had_never_been(self, database: Database, can: Capabilities) -> None:
        if not can.deleted_rows:
            pytest.skip("it cannot delete rows (Capabilities.deleted_rows is off)")
        assert isinstance(database, DeletesRows), "its databases have no delete_rows()"
        level = can.default_isolation
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            database.insert_rows(kind, range(10, 14))
            insert_rows(database, kind, range(14, 20), "deleted")
            assert database.prepare(kind, fresh=False) == 13, (
                "after delete_rows(14 to 19) prepare() does not return 13, the highest key that is left"
            )
            with sessions(database, kind, 1) as (session,):
                transact(session, level, write(kind, 13, 1), write(kind, 15, 2), write(kind, 15, 3))
                seen = transact(session, level, read(13), read(14), read(15), read(19))
                wanted = [holding(kind, 1), holding(kind), holding(kind, 2, 3), holding(kind)]
                assert list(map(plain, seen)) == wanted, (
                    f"after delete_rows() a transaction read {seen}, expected {wanted}"
                )


def _pressing(kind: Kind) -> Workload:
    """Short, since there are many."""
    return pressing(kind, transactions=120)


def _formed(step: BoundStep, form: str) -> BoundStep:
    return step._replace(step=Step(step.f, form=form))


def _with_forms(workload: Workload, reads: tuple[str, ...], writes: tuple[str, ...]) -> Workload:
    """The steps in these forms in turn; reads in the usual one as well."""
    read_as, write_as = cycle((None, *reads)), cycle(writes or (None,))

    def formed(transaction: Transaction) -> Transaction:
        steps = (
            replace(step, form=next(read_as if step.f == "r" else write_as)) for step in transaction.steps
        )
        return replace(transaction, steps=tuple(steps))

    return replace(workload, transactions=tuple(map(formed, workload.transactions)))


def _vary(database: Database, options: dict[str, Any]) -> None:
    assert isinstance(database, TakesVariations), "its databases have no vary()"
    database.vary(options)


def _keeps(database: Database, can: Capabilities, workload: Workload, level: str, how: str) -> None:
    promised = can.isolation[level]
    summary, result, _ = fuzzed(database, workload, level, promised)
    assert summary.ok, f"{level} {how}: none of {summary.asked} transactions committed"
    found = ", ".join(result.anomaly_types)
    assert result.verdict is not Verdict.INVALID, (
        f"{level} {how} promises {promised}, but {workload.kind.value} shows {found}"
    )
