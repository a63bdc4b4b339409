"""Scenario files: YAML in, a Scenario out, or an error that says what is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from txfuzz.errors import WorkloadError
from txfuzz.transactions.placeholders import placeholders
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import JUDGES, MODELS, Invariant, Scenario
from txfuzz.workload.sql.tables import tables_of
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.plugins import read_database
from txfuzz.workload.yaml.reader import (
    SCENARIO_FIELDS,
    check_version,
    read_about,
    read_name,
    read_text,
    root_of,
)
from txfuzz.workload.yaml.scenario.replay import read_replay
from txfuzz.workload.yaml.scenario.setup import PlacedStatement, SqlTexts
from txfuzz.workload.yaml.scenario.transactions import ScenarioTransactions, check_no_table, refuse_others

FIELDS = (
    "version", "name", "about", "database", "setup", "workload", "invariants", "ignore", "judge", "expect",
    "replay",
)  # fmt: skip
_OTHERS = {
    "init_schema": "`setup`, which makes the tables",
    "seed": "`--seed` on the command line",
    "keys": "rows that `setup` makes",
    "scheduling": "none: all orders of a few transactions are run",
    "analyzers": "`judge`",
    "heuristics": "none: a scenario is not changed while it runs",
    "faults": "none: faults strike workloads",
    "campaign": "options on the command line of `txfuzz check`",
}
_NO_ELLE = "serial or invariants: Elle's judge needs the keys and micro-operations of a workload"


def read_scenario(path: Path, vocabulary: Vocabulary | None) -> Scenario:
    """Read a scenario file; see `parse_scenario`."""
    return parse_scenario(read_text(path), str(path), vocabulary)


def parse_scenario(text: str, source: str, vocabulary: Vocabulary | None) -> Scenario:
    """The scenario in this YAML text.

    source: the file name, for messages; files that `setup` names are looked for beside it. vocabulary: the
    known adapters; with None they are not looked up. Raises WorkloadError, `source:line:column: what was
    found, what was expected`.
    """
    root = root_of(text, source, "scenario")
    fields = root.mapping("a scenario")
    check_version(root, "scenario")
    if not _tells_scenario(fields):
        raise root.place.error(
            "found a workload", "a scenario, which has `setup`", "`txfuzz run` runs workloads"
        )
    refuse_others(fields, _OTHERS, "a scenario")
    root.fields("a scenario", FIELDS, ("setup", "workload"))
    database, capabilities = DatabaseSpec(), None
    if "database" in fields:
        database, capabilities = read_database(fields["database"], vocabulary)
    texts = SqlTexts(text, capabilities is not None and capabilities.backslash_escapes)
    setup = texts.setup(fields["setup"])
    asked = fields["workload"].mapping("`workload` as a mapping")
    refuse_others(asked, {"mix": "none: every pair of transactions is run"}, "a scenario")
    fields["workload"].fields("`workload`", ("transactions",), ("transactions",))
    transactions = ScenarioTransactions(texts, database.adapter or "", capabilities)
    read = transactions.read(asked["transactions"])
    params = {each.name: [name for name, _ in each.params] for each in read}
    queries = _invariants(fields["invariants"], texts) if "invariants" in fields else ()
    invariants = tuple(each for each, _ in queries)
    ignored = _ignored(fields["ignore"]) if "ignore" in fields else {}
    return Scenario(
        name=read_name(fields.get("name"), source, "scenario"),
        setup=tuple(each.text for each in setup),
        transactions=read,
        invariants=invariants,
        ignored=frozenset(ignored),
        judge=_judge(fields["judge"], invariants) if "judge" in fields else JUDGES[0],
        expect=fields["expect"].one_of("a consistency model", MODELS) if "expect" in fields else MODELS[0],
        about=read_about(fields.get("about"), "scenario"),
        database=database,
        replay=read_replay(fields["replay"], params) if "replay" in fields else None,
        places=ignored
        | {each.sql: str(place) for each, place in reversed(queries)}
        | {each.text: str(each.place) for each in reversed(setup)},
    )


def is_scenario(path: Path) -> bool:
    """Is this a scenario rather than a workload? False for what cannot be read at all."""
    try:
        root = parse_yaml(read_text(path), str(path))
    except WorkloadError:
        return False
    return root is not None and isinstance(root.value, Mapping) and _tells_scenario(root.value)


def _tells_scenario(fields: Mapping[str, Node]) -> bool:
    return any(name in fields for name in SCENARIO_FIELDS)


def _invariants(node: Node, texts: SqlTexts) -> tuple[tuple[Invariant, Place], ...]:
    """Each with the place of its query."""
    found: dict[str, tuple[Invariant, Place]] = {}
    for item in node.items("a list of invariants, as in {name: NAME, sql: QUERY}"):
        if isinstance(item.value, str):
            query, named = _query(item, texts), item
            name = " ".join(query.text.split())
        else:
            fields = item.fields("an invariant", ("name", "sql"), ("name", "sql"))
            named = fields["name"]
            name, query = named.text("the name of an invariant"), _query(fields["sql"], texts)
        if name in found:
            raise named.place.error(f"found the duplicate invariant {name!r}", "a different name")
        found[name] = Invariant(name, query.text), query.place
    return tuple(found.values())


def _query(node: Node, texts: SqlTexts) -> PlacedStatement:
    query = texts.one(node, "a query that returns the rows that break the invariant")
    tables = tables_of(query.text)
    if tables.ends or tables.savepoint or tables.sets_level or tables.changes:
        raise node.place.error(f"found {tables.verb.upper()} in an invariant", "a query")
    if names := placeholders(query.text):
        raise node.place.error(f"found :{names[0]} in an invariant", "a query without parameters")
    check_no_table(node, query.text)
    return query


def _ignored(node: Node) -> dict[str, str]:
    """Columns, as table.column, with their places."""
    found: dict[str, str] = {}
    for item in node.items("a list of columns, as in [table.column]"):
        name = item.text("a column as table.column")
        table, dot, column = name.partition(".")
        if not (table.strip() and dot and column.strip()) or "." in column:
            raise item.unexpected("a column as table.column")
        if name in found:
            raise item.place.error(f"found the duplicate column {name!r}", "each column once")
        found[name] = str(item.place)
    return found


def _judge(node: Node, invariants: tuple[Invariant, ...]) -> str:
    if node.value == "elle":
        raise node.unexpected(_NO_ELLE)
    judge = node.one_of("who judges", JUDGES)
    if judge == "invariants" and not invariants:
        raise node.place.error("found the judge 'invariants' in a scenario without any", "`invariants`")
    return judge
