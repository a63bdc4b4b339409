"""docs/workload.schema.json says what the reader of workload files says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from project_fixtures import Ran
from txfuzz.analysis.checker.consistency import WEAKER, friendly, prohibited
from txfuzz.errors import WorkloadError
from txfuzz.transactions.model import ERROR_RULES, ROW_RULES
from txfuzz.workload.allowed_changes import DEFAULT, KINDS
from txfuzz.workload.model import MOMENTS, PAUSES, SENDING, KeyLife, Scheduling
from txfuzz.workload.replay import ACTIONS, EDGES, Action
from txfuzz.workload.shipped import schema_path, shipped_workloads
from txfuzz.workload.yaml.faults import TIMING
from txfuzz.workload.yaml.keys import LARGEST_KEY
from txfuzz.workload.yaml.plugins import DATABASE_FIELDS
from txfuzz.workload.yaml.raw_statements import FUNCTIONS
from txfuzz.workload.yaml.scheduling import LONGEST_PAUSE, MOST_CLIENTS, MOST_DIRECTED, ROWS
from txfuzz.workload.yaml.writer import workload_text
from workload_schema import ROOT, SCHEMA, at, complaints, data_of, mappings, watched_fields
from workload_words import parse

TOP = "definitions/workload/properties"

# Every field of the format that is not an option of a plugin
WHOLE = """\
version: 1
name: whole
about: Everything.
database:
  adapter: postgres
  isolation: serializable
  url: $URL
  endpoints: {primary: primary, standby: {role: standby, isolation: read committed, url: $STANDBY}}
expect: strict serializable
init_schema: false
seed: 3
workload:
  transactions:
    - name: one
      isolation: read committed
      read_only: true
      deferrable: true
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}, lock: update}
        - {f: append, key: {ref: k}}
        - {f: append, key: {choice: {range: [1, 9]}, distinct_from: [k]}}
    - name: two
      steps:
        - sql: SAVEPOINT before
        - sql: SELECT key, val FROM {table} WHERE key = :a
          args: {a: 1}
          elle: {f: r, key: a, column: val, key_column: key}
          rows: {0: empty}
          on_error: {"23505": skip, "40001": {rollback_to: before}}
          returns: {found: key}
        - sql: UPDATE {table} SET val = val || :v WHERE key = :a
          args: {a: {ref: found}, v: {new: value}}
          elle: [{f: append, key: a, value: v}]
    - name: elsewhere
      at: {primary: 1, standby: 0.5}
      steps:
        - {f: r, key: 1}
    - {template: bank-transfer, with: {accounts: [1, 2]}, name: three, at: primary}
  mix: [{txn: one, weight: 2}, {txn: two}]
keys: {writes: 4, rows: inserted}
scheduling:
  clients: 2
  duration: 1.5s
  barrier_every: 1
  think_time: {least: 0, most: 300us, before: write}
  sending: stepped
mutate: [keys, {isolation: [read committed], locks: [update]}, timing]
analyzers: [elle]
heuristics: [{name: hot-keys, max_keys: 4}]
faults: [{name: kill-server, every: 2s, times: 2}, {name: kill-server, at: [1s, 3], when: commit}]
directed:
  - transactions: [{alias: a, txn: one, keys: [1, 2]}, {alias: b, txn: one, keys: [2, 1]}]
    schedule: [{alias: a, action: step, steps: 2}, {alias: b, action: commit}]
    missing: {kind: rw, from: a, to: b}
    focus_key: 2
    anomaly: G2-item
replay:
  enabled: false
  transactions: [{alias: a, txn: one, template: t}, {alias: b, txn: one}]
  schedule:
    - {alias: a, action: step, steps: 2}
    - {action: sleep, ms: 1.5}
    - {alias: b, action: rollback}
  focus_key: 1
  pause_after: {a: [1, 2], b: 1}
  missing: {kind: rw, from: a, to: b}
  anomaly: G2-item
campaign:
  iterations: 2
  output_dir: out
  seed: 1
  expect: serializable
  runner_cmd: "true"
  run_replay: true
  stop_on_finding: true
  max_seconds: 2m
  max_transactions: 10
  plateau: 2
"""

# What the reader calls a mapping: where it stands in the schema, and names of other forms that the reader
# knows there to make a better complaint
OBJECTS: Mapping[str, tuple[str, Collection[str]]] = {
    "a workload": ("definitions/workload", ()),
    "`workload`": (f"{TOP}/workload", ()),
    "a transaction": ("definitions/stepsTransaction", ("template", "with")),
    "a transaction from a template": ("definitions/templateTransaction", ()),
    "an endpoint": ("definitions/endpoint/anyOf/1", ()),
    "a step": ("definitions/microOperationStep", ("sql",)),
    "a raw SQL step": ("definitions/sqlStep", ()),
    "a new value": ("definitions/newValue", ()),
    "elle": ("definitions/microOperation", ()),
    "a key": ("definitions/key/anyOf/1", ("ref",)),
    "a ref": ("definitions/key/anyOf/2", ()),
    "a choice": ("definitions/choice", ()),
    "what to do with the transaction": (
        "definitions/sqlStep/properties/on_error/additionalProperties/anyOf/1",
        (),
    ),
    "an entry of the mix": (f"{TOP}/workload/properties/mix/items", ()),
    "keys": (f"{TOP}/keys", ()),
    "scheduling": (f"{TOP}/scheduling", ()),
    "think_time": ("definitions/thinkTime", ()),
    "a kind of change with words": ("definitions/allowedWords", ()),
    "replay": (f"{TOP}/replay", ()),
    "a transaction of the replay": (
        f"{TOP}/replay/properties/transactions/items",
        (),
    ),
    "an entry of the schedule": ("definitions/action", ()),
    "missing": ("definitions/missingDependency", ()),
    "a directed schedule": ("definitions/directedSchedule", ()),
    "a transaction of a directed schedule": (
        "definitions/directedSchedule/properties/transactions/items",
        (),
    ),
    "campaign": (f"{TOP}/campaign", ()),
}


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_its_fields_are_those_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = watched_fields(monkeypatch)
    parse(WHOLE)
    assert tables.keys() == OBJECTS.keys()
    for owner, (pointer, others) in OBJECTS.items():
        known, required = tables[owner]
        form = at(pointer)
        assert set(form["properties"]) == known - set(others), owner
        assert required <= {*form.get("required", ()), "version"}, owner
        assert form["additionalProperties"] is False, owner
    database, fault = at("definitions/database"), at("definitions/fault")
    assert (
        tuple(database["properties"]) == tuple(database["then"]["propertyNames"]["enum"]) == DATABASE_FIELDS
    )
    assert set(fault["properties"]) == {"name", *TIMING}


def test_its_words_bounds_and_defaults_are_those_of_the_code() -> None:
    words = {
        "definitions/microOperationStep/properties/f": FUNCTIONS,
        "definitions/microOperation/properties/f": FUNCTIONS,
        "definitions/sqlStep/properties/rows/patternProperties/^[0-9]+$": ROW_RULES,
        "definitions/sqlStep/properties/on_error/additionalProperties/anyOf/0": ERROR_RULES,
        "definitions/action/properties/action": ACTIONS,
        "definitions/missingDependency/properties/kind": EDGES,
        "definitions/fault/properties/when": MOMENTS,
        f"{TOP}/keys/properties/rows": ROWS,
        f"{TOP}/mutate/anyOf/1/items/anyOf/0": tuple(KINDS),
        f"{TOP}/scheduling/properties/sending": SENDING,
        "definitions/thinkTime/properties/before": PAUSES,
    }
    assert tuple(at(f"{TOP}/mutate/default")) == DEFAULT
    assert at("definitions/pause/anyOf/0/maximum") == LONGEST_PAUSE
    for pointer, expected in words.items():
        assert tuple(at(pointer)["enum"]) == expected, pointer
    models = {friendly(model) for model in WEAKER if prohibited(model)}
    assert set(at("definitions/model/anyOf/0/enum")) == models
    assert at("definitions/keyNumber/maximum") == LARGEST_KEY
    assert at(f"{TOP}/scheduling/properties/clients/maximum") == MOST_CLIENTS
    assert at(f"{TOP}/scheduling/properties/directed/maximum") == MOST_DIRECTED
    smallest = parse("version: 1\nworkload: {transactions: [{name: t, steps: [{f: r, key: 1}]}]}\n")
    for pointer, owner in (
        (TOP, smallest),
        (f"{TOP}/keys/properties", KeyLife()),
        (f"{TOP}/scheduling/properties", Scheduling()),
        ("definitions/stepsTransaction/properties", smallest.transactions[0].mode),
        ("definitions/templateTransaction/properties", smallest.transactions[0].mode),
        ("definitions/action/properties", Action("step")),
    ):
        for name, form in at(pointer).items():
            if "default" in form and name != "mutate":
                assert form["default"] == getattr(owner, name), f"{pointer}/{name}"


def test_the_whole_format_is_valid() -> None:
    assert complaints(data_of(WHOLE)) == []
    assert complaints(data_of(workload_text(parse(WHOLE)))) == []


def test_what_the_reader_refuses_as_unknown_the_schema_refuses() -> None:
    refused = 0
    for number in range(len(list(mappings(data_of(WHOLE))))):
        data = data_of(WHOLE)
        list(mappings(data))[number]["nonsense"] = 1
        with pytest.raises(WorkloadError) as error:
            parse(json.dumps(data))
        if "unknown field 'nonsense'" in str(error.value) and "in the database" not in str(error.value):
            refused += 1
            assert complaints(data), error.value
    assert refused > 30


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("version: 1", "version: 2"),
        ("seed: 3", "seed: three"),
        ("f: append, key: {ref: k}", "f: appned, key: {ref: k}"),
        ("from: [1, 2]", "from: []"),
        ("from: [1, 2]", "from: [1, 2], range: [1, 2]"),
        ("choice: {from: [1, 2]}, as: k", "as: k"),
        ("rows: {0: empty}", "rows: {none: empty}"),
        ("{new: value}", "{new: word}"),
        ("weight: 2", "weight: -1"),
        ("clients: 2", "clients: 0"),
        ("duration: 1.5s", "duration: 1.5 seconds"),
        ("duration: 1.5s", "duration: 1s\n  transactions: 5"),
        ("adapter: postgres", "append: arrays"),
        ("analyzers: [elle]", "analyzers: []"),
        ("every: 2s, times: 2", "times: 2"),
        ("every: 2s", "every: 2s, at: 1s"),
        ("{action: sleep, ms: 1.5}", "{action: sleep}"),
        ("{action: sleep, ms: 1.5}", "{action: commit}"),
        ("{alias: b, action: rollback}", "{alias: b, action: rollback, steps: 1}"),
        ("kind: rw", "kind: rr"),
        ("iterations: 2", "iterations: 0"),
    ],
)
def test_both_refuse(found: str, instead: str) -> None:
    text = WHOLE.replace(found, instead, 1)
    assert text != WHOLE
    with pytest.raises(WorkloadError):
        parse(text)
    assert complaints(data_of(text))


def documented() -> Iterator[tuple[str, str]]:
    for page in (ROOT / "README.md", *ROOT.glob("docs/*/*.md"), *ROOT.glob("plugins/*/README.md")):
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.M):
            yield page.name, block


def test_workloads_on_pages_are_valid() -> None:
    """Whole ones, and parts of one."""
    seen = 0
    for page, block in documented():
        data = data_of(block)
        scenario = page == "scenarios.md"
        form = at(f"definitions/{'scenario' if scenario else 'workload'}/properties")
        if isinstance(data, dict) and "expected" not in data and data.keys() <= form.keys():
            steps = [{"sql": "SELECT 1"}] if scenario else [{"f": "r", "key": 1}]
            rest = {"setup": "CREATE TABLE t (a int)"} if scenario else {}
            whole = (
                {"version": 1, "workload": {"transactions": [{"name": "t", "steps": steps}]}} | rest | data
            )
            if "adapter" not in whole.get("database", {"adapter": None}):
                whole["database"] = {"adapter": "postgres", **whole["database"]}
            assert complaints(whole) == [], f"{page}: {block}"
            seen += 1
    assert seen > 20


@pytest.mark.parametrize(
    "path", [*(path for _, path in shipped_workloads()), *(ROOT / "tests" / "cases").glob("*.yaml")], ids=str
)
def test_workload_files_are_valid(path: Path) -> None:
    assert complaints(data_of(path.read_text(encoding="utf-8"))) == []


def test_it_can_be_printed(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("workloads", "--schema")
    assert ran.code == 0
    assert json.loads(ran.out) == SCHEMA == json.loads(schema_path().read_text(encoding="utf-8"))
