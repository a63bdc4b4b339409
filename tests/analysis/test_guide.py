"""The facts behind `txfuzz explain`: every anomaly has a page, and the levels agree with the adapters."""

from __future__ import annotations

import pytest

from txfuzz.analysis.checker.anomaly_types import known_types
from txfuzz.analysis.checker.consistency import PROSCRIBED, WEAKER, canonical, is_model
from txfuzz.analysis.explain.guide.entries import (
    AnomalyPage,
    DatabaseLevels,
    ModelPage,
    anomaly_page,
    databases,
    model_page,
    page_of,
)
from txfuzz.errors import UsageError
from txfuzz.plugin.loader import load_plugins

EXISTS = sorted({name for types in PROSCRIBED.values() for name in types if name.endswith("-cycle-exists")})


@pytest.mark.parametrize("type", [*known_types(), *EXISTS])
def test_every_anomaly_that_the_checker_can_name_has_a_page(type: str) -> None:
    page = page_of(type)
    assert isinstance(page, AnomalyPage)
    assert page.type == type
    assert page.name
    assert page.avoid
    assert page.sources
    assert len(page.plain) > len(page.meaning) / 2
    assert 1 <= len(page.picture) <= 12
    assert all(len(line) <= 70 for line in page.picture)
    assert page_of(page.name) if not type.endswith("exists") else True


def test_other_names_are_understood() -> None:
    named = {
        "write-skew": "G2-item", "Lost Update": "lost-update", "lost_update": "lost-update",
        "dirty read": "G1a", "A5A": "G-single-item", "g2-ITEM": "G2-item", "long fork": "G-nonadjacent-item",
        "P4": "lost-update", "stale read": "G-single-item-realtime",
        "read only transaction anomaly": "G2-item",
    }  # fmt: skip
    for name, type in named.items():
        page = page_of(name)
        assert isinstance(page, AnomalyPage)
        assert page.type == type, name


def test_no_name_has_two_meanings() -> None:
    own: dict[str, str] = {}
    for type in known_types():
        page = anomaly_page(type)
        for name in (page.type, page.name, *page.also):
            folded = name.lower().replace(" ", "-")
            assert own.setdefault(folded, type) == type, name
            assert not is_model(name), f"{name} is also a model"


@pytest.mark.parametrize("model", WEAKER)
def test_every_model_has_a_page(model: str) -> None:
    page = page_of(model)
    assert isinstance(page, ModelPage)
    assert canonical(page.name) == model
    assert {*page.forbids, *page.allows} == {*known_types()}


def test_a_model_tells_its_neighbours() -> None:
    page = model_page("snapshot isolation")
    assert "G2-item" in page.allows
    assert "lost-update" in page.forbids
    assert "serializable" in page.stronger
    strongest = model_page("PL-SS")
    assert strongest.name == "strict-serializable"
    assert "strong-serializable" in strongest.also


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("wirte skew", "'Write skew'"),
        ("snapshot isolatoin", "'snapshot-isolation'"),
        ("qqqq", "lists the names"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_near_matches(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=meant) as raised:
        page_of(name)
    assert "\n" not in str(raised.value)


def levels(name: str) -> DatabaseLevels:
    return next(each for each in databases({}) if each.name.startswith(name))


def allowing(name: str, type: str) -> list[str]:
    return [" ".join(filter(None, [each.level, each.when])) for each in levels(name).allowing(type)]


def test_what_levels_allow_is_well_known() -> None:
    """Kleppmann's Hermitage, and the documentation of each."""
    assert allowing("PostgreSQL", "lost-update") == ["read uncommitted", "read committed"]
    assert allowing("PostgreSQL", "G2-item")[-2:] == ["repeatable read", "serializable before 9.1"]
    assert allowing("PostgreSQL", "G1a") == []
    assert "repeatable read" in allowing("MySQL", "lost-update")
    assert allowing("MySQL", "G1a") == ["read uncommitted"]
    assert allowing("MariaDB", "lost-update")[-1].startswith("repeatable read unless")
    assert allowing("Oracle", "G2-item") == ["read committed", "serializable"]
    assert allowing("SQL Server", "G2-item") == ["read uncommitted", "read committed", "snapshot"]
    assert allowing("SQLite", "G2-item") == ["read uncommitted"]
    assert allowing("CockroachDB", "G2-item") == ["read committed"]
    for database in databases({}):
        assert not database.allowing("unwritten-read"), database.name
        assert database.source.startswith("https://")


def test_the_table_agrees_with_what_the_adapters_promise() -> None:
    registry = load_plugins()
    for known in databases({}):
        if not known.adapter:
            continue
        promised = registry.find("adapter", known.adapter)().capabilities().isolation
        for level, model in promised.items():
            if level in known.otherwise:  # by the setting that the adapter chooses
                continue
            assert canonical(known.levels[level]) == canonical(model), f"{known.name}: {level}"


def test_other_databases_come_with_their_adapters() -> None:
    (*_, other) = databases({"postgres": {"x": "serializable"}, "mine": {"loose": "read-committed"}})
    assert other.name == "mine"
    assert [each.level for each in other.allowing("lost-update")] == ["loose"]
    assert sum(each.adapter == "postgres" for each in databases({"postgres": {}})) == 1
