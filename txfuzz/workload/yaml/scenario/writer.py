"""Scenarios as readable YAML files, which are read back as the same scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from txfuzz.transactions.model import Step, StepCondition, Transaction
from txfuzz.workload.scenario import JUDGES, MODELS, Scenario
from txfuzz.workload.sql.statements import UnfinishedStatement, split_statements
from txfuzz.workload.yaml.layout import filled, scalar, text_field
from txfuzz.workload.yaml.scenario.conditions import NOT_NULL
from txfuzz.workload.yaml.scenario.replay import replay_lines
from txfuzz.workload.yaml.writer import database_data, head_lines, mode_lines, rules_data


def scenario_text(scenario: Scenario, header: str = "") -> str:
    """The scenario file, its setup included. header: lines of a comment at its top.

    Passwords are not written, as in workload files.
    """
    return "\n".join(_lines(scenario, header)) + "\n"


def _lines(scenario: Scenario, header: str) -> Iterator[str]:
    yield from head_lines(header)
    yield text_field("name:", scenario.name, 2)
    if scenario.about:
        yield text_field("about:", scenario.about, 2)
    if database := database_data(scenario.database):
        yield filled("database:", database, 2)
    yield from _setup(scenario.setup)
    yield "workload:"
    yield "  transactions:"
    for transaction in scenario.transactions:
        yield from _transaction(transaction)
    if scenario.invariants:
        yield "invariants:"
        for invariant in scenario.invariants:
            yield text_field("  - name:", invariant.name, 6)
            yield text_field("    sql:", invariant.sql, 6)
    if scenario.ignored:
        yield filled("ignore:", sorted(scenario.ignored), 2)
    if scenario.judge != JUDGES[0]:
        yield f"judge: {scalar(scenario.judge)}"
    if scenario.expect != MODELS[0]:
        yield f"expect: {scalar(scenario.expect)}"
    if scenario.replay is not None:
        yield from replay_lines(scenario.replay)


def _setup(statements: Sequence[str]) -> Iterator[str]:
    """As one text where it is read back as these statements, else as a list."""
    script = "".join(f"{each};\n" for each in statements)
    if all(_split(script, escapes) == list(statements) for escapes in (False, True)):
        yield text_field("setup:", script, 2)
        return
    yield "setup:"
    for each in statements:
        yield text_field("  -", each, 4)


def _split(script: str, backslash_escapes: bool) -> list[str]:
    try:
        return [each.text for each in split_statements(script, backslash_escapes=backslash_escapes)]
    except UnfinishedStatement:
        return []


def _transaction(transaction: Transaction) -> Iterator[str]:
    yield text_field("    - name:", transaction.name, 8)
    if transaction.params:
        params = {name: list(values) for name, values in transaction.params}
        yield filled("      params:", params, 8)
    yield from mode_lines(transaction.mode)
    if transaction.retry:
        yield f"      retry: {transaction.retry}"
    yield "      steps:"
    for step in transaction.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    lead = "        -"
    if step.when:
        yield filled(f"{lead} when:", _conditions(step.when), 12)
        lead = "         "
    yield text_field(f"{lead} sql:", str(step.sql), 12)
    for name, data in rules_data(step).items():
        if data:
            yield filled(f"          {name}:", data, 12)


def _conditions(when: Sequence[StepCondition]) -> dict[str, Any]:
    tests: dict[str, dict[str, Any]] = {}
    for each in when:
        other = each.value if each.other is None else f":{each.other}"
        tests.setdefault(each.name, {})[each.test] = other
    return {name: _short(test) for name, test in tests.items()}


def _short(test: dict[str, Any]) -> Any:
    if test == {"ne": None}:
        return NOT_NULL
    if test.keys() == {"eq"} and test["eq"] != NOT_NULL:
        return test["eq"]
    return test
