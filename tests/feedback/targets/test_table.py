"""Whatever is changed, in whatever order: the workload stays valid, keeps its roles, and can go back."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_workloads import workloads
from txfuzz import Adjustment, FeedbackResult, Verdict, Workload
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.execution.run import execute
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.key_choices import can_choose
from txfuzz.feedback.mutators import applicable, mutated
from txfuzz.feedback.roles import choices, operations
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.text.notes import notes_text
from txfuzz.workload.allowed_changes import EVERYTHING, KINDS
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import DatabaseSpec, FaultSpec
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text
from txfuzz_heuristics import txfuzz_register_mutators

MUTATORS = tuple(cls() for cls in txfuzz_register_mutators())
ALL = replace(
    EVERYTHING,
    levels=("read committed", "serializable"),
    locks=("share", "update"),
    forms={"r": ("range",), "append": ("merge",), "w": ("merge",)},
    plans={"plan": ("default", "scan")},
    layout={"layout": ("plain", "hashed")},
)
OPTIONS = {"plan": "default", "layout": "plain"}
FAULTS = (FaultSpec("pause-server", at=(1.0, 2.5)), FaultSpec("kill-server", every=2.0, times=3))


def uses(workload: Workload) -> set[tuple[str, int]]:
    """Which keys are read, and which written, by whichever transaction of the mix."""
    asked = {each.txn for each in workload.mix if each.weight > 0}
    return {
        (f, key)
        for transaction in workload.transactions
        if transaction.name in asked
        for choice, done in zip(choices(transaction), operations(transaction), strict=True)
        for f in done
        for key in choice.keys
    }


def of_choices(workload: Workload) -> dict[tuple[str, int], set[int]]:
    return {
        (transaction.name, number): set(choice.keys)
        for transaction in workload.transactions
        for number, choice in enumerate(choices(transaction))
    }


def check_valid(workload: Workload, began: Workload) -> None:
    assert parse_workload(workload_text(workload), "changed", None) == workload
    assert all(map(can_choose, workload.transactions))
    assert workload.kind is began.kind
    asking = TransactionGenerator(workload, Random(1), KeySpace(workload.keys, 0, lambda keys: None))
    for _ in range(5):
        asking.next()


def course(began: Workload, turns: list[tuple[int, int]]) -> tuple[Workload, list[Adjustment]]:
    """The workload after these turns of mutators, and what they changed."""
    mutators = applicable(MUTATORS, began)
    workload, made = began, []
    for number, seed in turns:
        feedback = FeedbackResult(len(made), Verdict.VALID, original=began)
        mutation = mutated(mutators[number % len(mutators)], feedback, workload, Random(seed))
        if mutation is not None:
            workload = mutation.workload
            made.append(mutation.adjustment)
    return workload, made


some_turns = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(workloads(), some_turns)
def test_everything_allowed_leaves_a_valid_workload_and_can_be_taken_back(
    plain: Workload, turns: list[tuple[int, int]]
) -> None:
    database = DatabaseSpec(isolation="read committed")
    began = replace(plain, database=database, mutate=ALL, faults=FAULTS)
    workload, made = course(began, turns)
    check_valid(workload, began)
    assert uses(workload) <= uses(began), "no key is read that was not read, none written that was not"
    for each in reversed(made):
        back = replace(each, before=each.after, after=each.before)
        workload = apply(workload, [back], began)
        assert current(workload, each.target) == each.before
    assert workload == began


@settings(max_examples=60, deadline=None)
@given(workloads(), some_turns)
def test_by_default_every_choice_keeps_to_its_own_keys(began: Workload, turns: list[tuple[int, int]]) -> None:
    workload, made = course(began, turns)
    check_valid(workload, began)
    at_first = of_choices(began)
    now = of_choices(workload)
    assert now.keys() == at_first.keys()
    assert all(now[place] <= keys for place, keys in at_first.items())
    assert {TARGETS[each.target].kind for each in made} <= {"keys", "mix", "scheduling", "timing"}
    steps = {each.name: [step.f for step in each.steps] for each in began.transactions}
    assert {each.name: [step.f for step in each.steps] for each in workload.transactions} == steps


ROLES = """\
version: 1
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: xfer
      steps:
        - {f: r, key: {choice: {range: [1, 50]}}}
        - {f: append, key: {choice: {range: [51, 100]}}}
    - name: look
      steps:
        - {f: r, key: {choice: {range: [51, 100]}, as: a}}
scheduling: {clients: 4, transactions: 150}
"""


@pytest.mark.parametrize("seed", range(3))
def test_roles_without_a_common_key_never_show_an_anomaly(seed: int, tmp_path) -> None:  # type: ignore[no-untyped-def]
    registry = load_plugins()
    read = parse_workload(ROLES, "roles.yaml", InstalledVocabulary(registry))
    assembled = assemble(read, registry)
    draws = Random(seed)
    workload, made = course(
        assembled.workload, [(draws.randrange(99), draws.randrange(99)) for _ in range(20)]
    )
    assert made
    assert not any(f == "append" and key <= 50 for f, key in uses(workload))
    with assembled.adapter.open(None) as database:
        path = tmp_path / "history.edn"
        ran = execute(workload, database, path, isolation=assembled.isolation)
        assert ran.ok > 0
    assert analyze_history(read_history(path), "serializable").anomaly_types == ()


def test_what_is_not_allowed_is_refused_with_the_kind_that_is_missing() -> None:
    began = parse_workload(ROLES, "roles.yaml", InstalledVocabulary(load_plugins()))
    for target, each in TARGETS.items():
        before = current(began, target)
        change = Adjustment(target, before, before, "no reason at all", "test")
        if each.kind in began.mutate:
            assert of_choices(apply(began, [change])) == of_choices(began)
        else:
            with pytest.raises(Exception, match=f"`mutate` lacks '{each.kind}'"):
                apply(began, [change])
    assert {each.kind for each in TARGETS.values()} == set(KINDS)


def test_every_change_is_told_in_plain_words() -> None:
    read = parse_workload(ROLES, "roles.yaml", InstalledVocabulary(load_plugins()))
    began = replace(read, mutate=ALL, faults=FAULTS, database=replace(read.database, options=OPTIONS))
    feedback = FeedbackResult(0, Verdict.VALID, original=began)
    told = [mutated(each, feedback, began, Random(1)) for each in MUTATORS]
    made = [each.adjustment for each in told if each is not None]
    by_strategies = {"keys", "scheduling.transactions", "directed"}
    assert {each.target for each in made} == set(TARGETS) - by_strategies
    result = AnalysisResult("h.edn", Verdict.VALID, "serializable")
    page = notes_text(0, began, result, made).partition("## What changes next")[2]
    assert page.count("\n- **") == len(made)
    for brackets in ("{'", "['", "None"):
        assert brackets not in page, page
