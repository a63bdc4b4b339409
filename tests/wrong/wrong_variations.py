"""Adapters whose forms, plans, layouts or deleted rows have one defect each. Run by test_conformance.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from txfuzz import Capabilities
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, ReadValue
from txfuzz.database.variations import Variation
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemorySession
from wrong_memory import Conformance, Wrong, wrong

# -- forms ------------------------------------------------------------------------------------


class TestWritesToTheWrongRow(Conformance):
    caught_by = ("test_every_form_does_what_its_step_does",)

    class NextRow(MemorySession):
        def execute(self, step: BoundStep) -> ReadValue:
            if step.step.form == "replace" and step.key is not None:
                step = step._replace(key=step.key + 1)
            return super().execute(step)

    adapter = wrong(NextRow)


class TestReadsByWriting(Conformance):
    """A read in another form that leaves something behind."""

    caught_by = ("test_every_form_does_what_its_step_does",)

    class Marks(MemorySession):
        def execute(self, step: BoundStep) -> ReadValue:
            seen = super().execute(step)
            if step.step.form == "range" and step.key is not None:
                self._store.write(self.backend, step.key, -1)
            return seen

    adapter = wrong(Marks)


class TestTakesAnyForm(Conformance):
    caught_by = ("test_forms_that_it_does_not_have_are_refused",)

    class Ignores(MemorySession):
        def execute(self, step: BoundStep) -> ReadValue:
            return super().execute(step._replace(step=replace(step.step, form=None)))

    adapter = wrong(Ignores)


class TestAFormThatReadsDirtily(Conformance):
    caught_by = ("test_forms_keep_promises",)
    adapter = Wrong(defects=("dirty-read",), only="range", probability=0.5)


# -- options ----------------------------------------------------------------------------------


def varying(*variations: Variation, database: type[MemoryDatabase] = MemoryDatabase) -> Any:
    class Varying(Wrong):
        def variations(self) -> tuple[Variation, ...]:
            return variations

    members = {"database": database, "__annotations__": {}}
    return dataclass(frozen=True)(type("WrongAdapter", (Varying,), members))()


class TestVariesWhatIsNoOption(Conformance):
    caught_by = ("test_its_variations_make_sense",)
    adapter = varying(Variation("index", "layout", ("btree", "hash")))


class TestVariesToOneValue(Conformance):
    caught_by = ("test_its_variations_make_sense",)
    adapter = varying(Variation("plan", "plans", ("default",)))


class TestBeginsElsewhere(Conformance):
    caught_by = ("test_its_variations_make_sense",)
    adapter = varying(Variation("latency", "plans", (0.001, 0.002)))


class TestVariesWhatItPromises(Conformance):
    caught_by = ("test_its_variations_make_sense",)

    @dataclass(frozen=True)
    class Weaker(Wrong):
        def capabilities(self) -> Capabilities:
            can = super().capabilities()
            if self.plan == "default":
                return can
            return replace(can, isolation={**can.isolation, "serializable": "snapshot-isolation"})

    adapter = Weaker()


class TestKeepsItsTables(Conformance):
    """The rows of the old layout are still there."""

    caught_by = ("test_another_layout_makes_new_tables",)

    class Keeps(MemoryDatabase):
        def prepare(self, kind: Kind, *, fresh: bool) -> int:
            self._made.clear()
            return super().prepare(kind, fresh=fresh)

    adapter = wrong(database=Keeps)


class TestMakesNewTablesForAPlan(Conformance):
    caught_by = ("test_another_layout_makes_new_tables",)

    class Forgets(MemoryDatabase):
        def vary(self, options: Mapping[str, Any]) -> None:
            super().vary(options)
            if "plan" in options:
                self._made = dict.fromkeys(Kind, "none")

    adapter = wrong(database=Forgets)


class TestALayoutThatLosesWrites(Conformance):
    caught_by = ("test_variations_keep_promises",)
    adapter = Wrong(defects=("lost-committed-write",), only="hashed", probability=0.5)


# -- rows -------------------------------------------------------------------------------------


class TestLeavesDeletedRows(Conformance):
    caught_by = ("test_deleted_rows_are_as_if_they_had_never_been",)

    class Leaves(MemoryDatabase):
        def delete_rows(self, kind: Kind, keys: range) -> None:
            pass

    adapter = wrong(database=Leaves)


class TestDeletesMore(Conformance):
    caught_by = ("test_deleted_rows_are_as_if_they_had_never_been",)

    class Clears(MemoryDatabase):
        def delete_rows(self, kind: Kind, keys: range) -> None:
            super().delete_rows(kind, range(1, keys[-1] + 1))

    adapter = wrong(database=Clears)
