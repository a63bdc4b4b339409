"""docs/workload.schema.json says what the reader of scenario files says."""

from __future__ import annotations

import json

import pytest

from scenario_words import WHOLE, parse
from txfuzz.errors import WorkloadError
from txfuzz.transactions.model import COMPARISONS
from txfuzz.workload.scenario import JUDGES, MODELS, CallReplay, Scenario, ScenarioReplay
from txfuzz.workload.yaml.reader import SCENARIO_FIELDS
from txfuzz.workload.yaml.scenario import scenario_text
from txfuzz.workload.yaml.scenario.replay import code_replay_text
from txfuzz.workload.yaml.scenario.transactions import MOST_RETRIES, ROWS
from workload_schema import SCHEMA, at, complaints, data_of, mappings, watched_fields

OBJECTS = {
    "a scenario": "scenario",
    "`workload`": "scenario/properties/workload",
    "a transaction": "scenarioTransaction",
    "a step": "scenarioStep",
    "a condition": "condition",
    "what to do with the transaction": "sqlStep/properties/on_error/additionalProperties/anyOf/1",
    "an invariant": "invariant",
    "`replay`": "scheduleReplay",
    "a call": "callReplay",
}


def test_its_fields_are_those_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = watched_fields(monkeypatch)
    parse(WHOLE)
    assert tables.keys() == OBJECTS.keys()
    for owner, pointer in OBJECTS.items():
        known, required = tables[owner]
        form = at(f"definitions/{pointer}")
        assert set(form["properties"]) == known, owner
        assert required <= {*form.get("required", ()), "version"}, owner
        assert form["additionalProperties"] is False, owner


def test_its_words_bounds_and_defaults_are_those_of_the_code() -> None:
    properties = at("definitions/scenario/properties")
    assert tuple(properties["judge"]["enum"]) == JUDGES
    assert tuple(properties["expect"]["enum"]) == MODELS
    plain = Scenario("s", (), ())
    assert properties["judge"]["default"] == plain.judge
    assert properties["expect"]["default"] == plain.expect
    step = at("definitions/scenarioStep/properties")
    assert tuple(step["rows"]["patternProperties"]["^[0-9]+$"]["enum"]) == ROWS
    assert tuple(at("definitions/condition/properties")) == COMPARISONS
    retry = at("definitions/scenarioTransaction/properties/retry")
    assert (retry["default"], retry["maximum"]) == (0, MOST_RETRIES)
    assert [each["required"] for each in SCHEMA["if"]["anyOf"]] == [[name] for name in SCENARIO_FIELDS]


def test_the_whole_format_is_valid() -> None:
    assert complaints(data_of(WHOLE)) == []
    assert complaints(data_of(scenario_text(parse(WHOLE)))) == []
    assert complaints(data_of(WHOLE) | {"setup": {"file": "schema.sql"}}) == []


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
    assert refused == 14


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("version: 1", "version: 2"),
        ("setup:\n", "set_up:\n"),
        ("  - CREATE TABLE log (who text);", "  - 3"),
        ("  - CREATE TABLE log (who text);", "  - {files: a.sql}"),
        ("params: {who: [ann, bob]", "params: {who: []"),
        ("params: {who: [ann, bob]", "params: {who: [[ann]]"),
        ("params: {who: [ann, bob]", "params: {a-b: 1, who: [ann, bob]"),
        ("retry: 2", "retry: -1"),
        ("retry: 2", "retry: 101"),
        ("returns: {holder: booked_by", "returns: {holder: 1"),
        ("returns: {holder: booked_by", "returns: {a b: c, holder: booked_by"),
        ("rows: {0: abort, 2: ok}", "rows: {0: empty}"),
        ("holder: null, number", "holder: [], number"),
        ("number: {ge: 1", "number: {ge: null"),
        ("number: {ge: 1", "number: {than: 1"),
        ("sql: SELECT * FROM seats", "f: r"),
        ("sql: SELECT * FROM seats", "sql: SELECT 1, elle: []"),
        ("  - name: nobody sits on two seats\n", "  - nam: nobody\n"),
        ("ignore: [seats.booked_at]", "ignore: [booked_at]"),
        ("ignore: [seats.booked_at]", "ignore: [a.b, a.b]"),
        ("ignore: [seats.booked_at]", "ignore: [a.b.c]"),
        ("judge: serial", "judge: elle"),
        ("expect: strict-serializable", "expect: snapshot-isolation"),
        ("expect: strict-serializable", "scheduling: {clients: 2}"),
        ("  isolation: read committed\n", ""),
        ("- {transaction: look}", "- {txn: look}"),
        ("schedule: [1, 2, 1, 1, 2]", "schedule: [0]"),
        ("fails: [nobody sits on two seats]", "fails: [1]"),
    ],
)
def test_both_refuse(found: str, instead: str) -> None:
    text = WHOLE.replace(found, instead, 1)
    assert text != WHOLE
    with pytest.raises(WorkloadError):
        parse(text)
    assert complaints(data_of(text))


def test_invariants_that_judge_must_be_there() -> None:
    data = data_of(WHOLE) | {"judge": "invariants"}
    assert complaints(data) == []
    assert complaints({**data, "invariants": []})
    del data["invariants"]
    assert complaints(data)


def test_a_schedule_of_python_code_is_valid() -> None:
    kept = {"version": 1, "code": "app.py", "replay": data_of(WHOLE)["replay"]}
    assert complaints(kept) == []
    replay = ScenarioReplay("serializable", (CallReplay("a"),), (1,))
    assert complaints(data_of(code_replay_text("app.py", "sqlite", replay))) == []
    assert complaints({**kept, "nonsense": 1})
    assert complaints({"version": 1, "code": "app.py"})


def test_a_workload_with_a_setup_is_taken_for_a_scenario() -> None:
    workload = {"version": 1, "workload": {"transactions": [{"name": "t", "steps": [{"f": "r", "key": 1}]}]}}
    assert complaints(workload) == []
    assert complaints(workload | {"setup": "SELECT 1"})
