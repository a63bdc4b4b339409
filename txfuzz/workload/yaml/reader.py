"""Workload files: YAML in, a Workload out, or an error that says what is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from txfuzz.errors import WorkloadError
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import (
    AS_IN_FILE,
    DatabaseChoice,
    DatabaseSpec,
    KeyLife,
    PluginSpec,
    Scheduling,
    Workload,
)
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.campaign import read_campaign
from txfuzz.workload.yaml.faults import read_faults
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.plugins import chosen_spec, read_database, read_named, read_one
from txfuzz.workload.yaml.replay import read_directed, read_replay
from txfuzz.workload.yaml.scheduling import (
    equal_mix,
    read_allowed_changes,
    read_key_life,
    read_mix,
    read_scheduling,
)
from txfuzz.workload.yaml.steps import TransactionsReader

VERSION = 1
FIELDS = (
    "version", "name", "about", "database", "expect", "init_schema", "seed", "workload", "keys", "scheduling",
    "analyzers", "heuristics", "strategy", "faults", "replay", "campaign", "directed",
    "mutate",
)  # fmt: skip


# Fields by which a scenario is told from a workload
SCENARIO_FIELDS = ("setup", "invariants", "ignore", "judge")


def read_workload(path: Path, vocabulary: Vocabulary | None, choice: DatabaseChoice = AS_IN_FILE) -> Workload:
    """Read a workload file; see `parse_workload`."""
    return parse_workload(read_text(path), str(path), vocabulary, choice)


def read_text(path: Path) -> str:
    """The text of a file; WorkloadError if it cannot be read."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise WorkloadError(f"{path}: cannot be read: {reason or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(str(path), before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise place.error(f"found the byte 0x{data[error.start]:02x}", "UTF-8") from None


def root_of(text: str, source: str, what: str = "workload") -> Node:
    """The mapping that this YAML text is. what: "workload" or "scenario"."""
    root = parse_yaml(text, source)
    if root is None:
        found = "an empty file" if not text.strip() else "a file without content"
        raise Place(source, 1, 1).error(f"found {found}", f"a {what} that begins with `version: 1`")
    root.mapping(f"a {what} as a mapping that begins with `version: 1`")
    return root


def parse_workload(
    text: str, source: str, vocabulary: Vocabulary | None, choice: DatabaseChoice = AS_IN_FILE
) -> Workload:
    """The workload in this YAML text.

    source: the file name, for messages. vocabulary: the known adapters, templates, analyzers, heuristics
    and models. With None no names are looked up, so that a file written by txfuzz can be read without its
    plugins; templates are not supported then. choice: the database, in place of the file's.
    Raises WorkloadError, `source:line:column: what was found, what was expected`.
    """
    root = root_of(text, source)
    fields = root.mapping("a workload")
    _refuse_scenario(fields)
    check_version(root)
    root.fields("a workload", FIELDS, ("workload",))
    database, capabilities = DatabaseSpec(), None
    named = fields.get("database")
    replaced = choice.adapter is not None and vocabulary is not None
    if named is not None:  # of a database that is replaced nothing has to be installed
        other = replaced and choice.adapter != _adapter_in(named)
        database, capabilities = read_database(named, None if other else vocabulary, choice)
    if replaced and vocabulary is not None and choice.adapter != database.adapter:
        database, capabilities = chosen_spec(database, vocabulary, choice)
    asked = fields["workload"].fields("`workload`", ("transactions", "mix"), ("transactions",))
    reader = TransactionsReader(vocabulary, database.adapter or "", capabilities, database.endpoints)
    transactions = reader.read(asked["transactions"])
    check_model = None if vocabulary is None else vocabulary.check_model
    return Workload(
        name=read_name(fields.get("name"), source),
        transactions=transactions,
        mix=read_mix(asked["mix"], transactions) if "mix" in asked else equal_mix(transactions),
        about=read_about(fields.get("about")),
        database=database,
        expect=fields["expect"].text("a consistency model", check_model) if "expect" in fields else None,
        init_schema=fields["init_schema"].boolean("init_schema") if "init_schema" in fields else True,
        seed=fields["seed"].whole("a seed") if "seed" in fields else 0,
        scheduling=read_scheduling(fields["scheduling"]) if "scheduling" in fields else Scheduling(),
        keys=read_key_life(fields["keys"]) if "keys" in fields else KeyLife(),
        analyzers=_analyzers(fields["analyzers"], vocabulary) if "analyzers" in fields else None,
        heuristics=read_named(fields["heuristics"], "heuristic", vocabulary)
        if "heuristics" in fields
        else None,
        strategy=read_one(fields["strategy"], "strategy", vocabulary) if "strategy" in fields else None,
        replay=read_replay(fields["replay"], transactions, vocabulary) if "replay" in fields else None,
        faults=read_faults(fields.get("faults"), database, capabilities, vocabulary),
        campaign=read_campaign(fields["campaign"], vocabulary) if "campaign" in fields else None,
        mutate=read_allowed_changes(fields["mutate"], database.adapter or "", capabilities)
        if "mutate" in fields
        else AllowedChanges(),
        directed=read_directed(fields["directed"], transactions, vocabulary) if "directed" in fields else (),
    )


def _adapter_in(database: Node) -> object:
    fields = database.mapping("the database as a mapping")
    return fields["adapter"].value if "adapter" in fields else None


def _analyzers(node: Node, vocabulary: Vocabulary | None) -> tuple[PluginSpec, ...]:
    if not node.items("a list of analyzers"):
        raise node.unexpected("at least one analyzer: without one there is no verdict")
    return read_named(node, "analyzer", vocabulary)


def _refuse_scenario(fields: Mapping[str, Node]) -> None:
    for name in SCENARIO_FIELDS:
        if name in fields:
            raise fields[name].name_place.error(
                f"found `{name}`, which makes this a scenario", "a workload", "`txfuzz check` runs scenarios"
            )


def check_version(root: Node, what: str = "workload") -> None:
    """Checked first, since another version may have other fields."""
    fields = root.mapping(f"a {what}")
    if "version" not in fields:
        raise root.place.error("found no version", f"a {what} that begins with `version: {VERSION}`")
    if type(fields["version"].value) is not int or fields["version"].value != VERSION:
        raise fields["version"].unexpected(f"version {VERSION}, the only supported version")


def read_name(node: Node | None, source: str, what: str = "workload") -> str:
    """By default the name of the file."""
    return Path(source).stem or what if node is None else node.text(f"the name of the {what}")


def read_about(node: Node | None, what: str = "workload") -> str:
    if node is None:
        return ""
    if not isinstance(node.value, str):
        raise node.unexpected(f"a description of the {what} (text)")
    return node.value
