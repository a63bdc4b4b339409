"""The templates and analyzers pass the public conformance tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from template_histories import Tape, a, r, rr, w
from txfuzz import Template
from txfuzz.testing import AnalyzerConformance, TemplateConformance
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_templates.analyzers.bank import BankTotal
from txfuzz_templates.analyzers.counter import CounterBounds
from txfuzz_templates.analyzers.sets import SetElements
from txfuzz_templates.templates import ALL

IN_MEMORY = [template for template in ALL if not any("sql" in step for step in template.steps)]
IN_SQL = [template for template in ALL if template not in IN_MEMORY]
LOCKED = {"read-modify-write-locked", "savepoint-rollback-locked"}


@pytest.mark.usefixtures("template")
class TestInMemory(TemplateConformance):
    test_it_finds_what_it_is_there_to_find = None  # the shipped workloads show that

    @pytest.fixture(params=IN_MEMORY, ids=lambda template: template.name)
    def template(self, request: pytest.FixtureRequest) -> Template:
        return request.param  # type: ignore[no-any-return]


@pytest.mark.server
@pytest.mark.usefixtures("template")
class TestInSql(TemplateConformance):
    adapter = PostgresAdapter()
    test_it_finds_what_it_is_there_to_find = None

    @pytest.fixture(
        params=[each for each in IN_SQL if each.name not in LOCKED], ids=lambda template: template.name
    )
    def template(self, request: pytest.FixtureRequest) -> Template:
        return request.param  # type: ignore[no-any-return]


@pytest.mark.server
@pytest.mark.usefixtures("template")
class TestThatLocks(TemplateConformance):
    adapter = PostgresAdapter()
    test_it_finds_what_it_is_there_to_find = None
    rows = "inserted"

    @pytest.fixture(
        params=[each for each in IN_SQL if each.name in LOCKED], ids=lambda template: template.name
    )
    def template(self, request: pytest.FixtureRequest) -> Template:
        return request.param  # type: ignore[no-any-return]


def told(*transactions: tuple[Any, ...]) -> str:
    """A history of these transactions, one after the other."""
    tape = Tape()
    for name, *mops in transactions:
        tape.txn(name, *mops)
    return tape.text.decode()


Golden = Mapping[str, tuple[str, *tuple[str, ...]]]


class TestBankTotal(AnalyzerConformance):
    analyzer = BankTotal()
    golden: ClassVar[Golden] = {
        "a whole transfer": (
            told(("bank-transfer", a(1, 5), a(2, 1)), ("bank-audit", r(1, 5), r(2, 1))),
            "valid",
        ),
        "half a transfer": (
            told(("bank-transfer", a(1, 5), a(2, 1)), ("bank-audit", r(1, 5), r(2))),
            "invalid",
            "bank-total",
        ),
        "nobody looked": (told(("bank-transfer", a(1, 5), a(2, 1))), "unknown"),
    }


class TestCounterBounds(AnalyzerConformance):
    analyzer = CounterBounds()
    golden: ClassVar[Golden] = {
        "a count": (told(("counter-increment", a(1, 1)), ("counter-read", r(1, 1))), "valid"),
        "too few": (told(("counter-increment", a(1, 1)), ("counter-read", r(1))), "invalid", "counter-below"),
        "too many": (
            told(("counter-increment", a(1, 1)), ("counter-read", r(1, 1, 2))),
            "invalid",
            "counter-above",
        ),
        "nobody looked": (told(("counter-increment", a(1, 1))), "unknown"),
    }


class TestSetElements(AnalyzerConformance):
    analyzer = SetElements()
    golden: ClassVar[Golden] = {
        "a set": (told(("set-add", w(1, 1)), ("set-read", rr(1, 1), rr(2, None))), "valid"),
        "a lost row": (told(("set-add", w(1, 1)), ("set-read", rr(1, None))), "invalid", "set-lost"),
        "what ROLLBACK TO left behind": (
            told(("savepoint-rollback", a(1, 1)), ("savepoint-rollback", r(1, 1, -1))),
            "invalid",
            "set-unexpected",
        ),
        "nobody looked": (told(("set-add", w(1, 1))), "unknown"),
    }
