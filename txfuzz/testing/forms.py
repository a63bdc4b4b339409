"""Conformance tests for forms and layouts: subclass FormConformance and run pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from txfuzz.database.scenario import HoldsScenarios
from txfuzz.hunt.form import Form
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.tables import HuntTables
from txfuzz.hunt.trial import trials


class FormConformance:
    """Each form does what it says to rows in every state, on every layout that allows it.

    A row is there, or is not, or has just been deleted.

        class TestMine(FormConformance):
            adapter = MyAdapter()
            forms = FORMS
            layouts = LAYOUTS

    adapter, url: what they run on. layouts: at least one. refused: pairs of a form and a layout, by name,
    that the database does not let have each other, such as TRUNCATE and a view. every: where it is too slow
    to try all, every n-th layout for each form, in turn, and the plain ones.
    """

    adapter: Any = None
    url: ClassVar[str | None] = None
    forms: ClassVar[tuple[Form, ...]] = ()
    layouts: ClassVar[tuple[Layout, ...]] = ()
    refused: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    every: ClassVar[int] = 1

    @pytest.fixture(scope="class")
    @classmethod
    def hunt_tables(cls) -> Iterator[HuntTables]:
        assert cls.adapter is not None, "set `adapter` to the one whose SQL the forms are"
        strongest = list(cls.adapter.capabilities().isolation)[-1]
        with cls.adapter.open(cls.url) as database:
            assert isinstance(database, HoldsScenarios), "the adapter's database holds no scenarios"
            with HuntTables(database, strongest) as tables:
                yield tables

    def test_names_are_used_once(self) -> None:
        for things in (self.forms, self.layouts):
            names = [each.name for each in things]
            assert len(set(names)) == len(names), f"a name is used twice: {sorted(names)}"
            assert all(each.about.strip() for each in things), "an `about` is empty"

    def test_each_form_does_what_it_says_on_each_layout(self, hunt_tables: HuntTables) -> None:
        strongest = list(self.adapter.capabilities().isolation)[-1]
        wrong = [
            str(trial)
            for at, layout in enumerate(self.layouts)
            for number, form in enumerate(self.forms)
            if layout.plain or (at + number) % self.every == 0
            if layout.allows(form) and (form.name, layout.name) not in self.refused
            for trial in trials(hunt_tables, form, layout, strongest, deleted=True)
            if not trial.as_said
        ]
        assert not wrong, "\n".join(wrong)

    def test_what_is_refused_is_refused(self, hunt_tables: HuntTables) -> None:
        forms = {each.name: each for each in self.forms}
        layouts = {each.name: each for each in self.layouts}
        strongest = list(self.adapter.capabilities().isolation)[-1]
        for form, layout in sorted(self.refused):
            tried = trials(hunt_tables, forms[form], layouts[layout], strongest)
            assert any(each.code for each in tried), f"{form!r} runs on {layout!r} after all"
