"""The strategy that learns, shown iterations made by hand, and on the database in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.coverage import Feature, Refusal, StepDependency, TemplateStep, coverage
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.feedback.contract import FeedbackResult, LoopState, Situation
from txfuzz.feedback.key_choices import choice_sets
from txfuzz.feedback.learning.strategy import Learning
from txfuzz.feedback.strategies import decide
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.small_run import recorded
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import FaultSpec, Scheduling, Weight, Workload
from txfuzz.workload.seeds import stream

MUTATORS = tuple(entry.value() for entry in load_plugins().all("mutator"))
READ, WRITE = range(1, 51), range(51, 101)
ROLES = Workload(
    "roles",
    (
        Transaction("move", (Step("r", Choice(READ)), Step("append", Choice(WRITE)))),
        Transaction("look", (Step("r", Choice(WRITE, "a")),)),
        Transaction("rmw", (Step("r", Choice(WRITE, "k")), Step("append", Ref("k")))),
    ),
    mix=(Weight("move", 1.0), Weight("look", 1.0), Weight("rmw", 1.0)),
    scheduling=Scheduling(8, 2_000),
)
RW = StepDependency("rw", TemplateStep("look", 0), TemplateStep("rmw", 1), "overlaps", False)


def shown(
    strategy: Learning, workload: Workload, number: int, seen: Mapping[Feature, int], **fields: int
) -> Workload:
    """The workload that follows an iteration of this one."""
    counts = {"transactions": 100, "committed": 90, "aborted": 10} | fields
    feedback = FeedbackResult(number, Verdict.VALID, original=ROLES, coverage=seen, **counts)
    situation = Situation(workload, feedback, mutators=MUTATORS)
    following, _, warnings, _ = decide(strategy, situation, Random(number))
    assert not [each for each in warnings if "failed" in each]
    return following


def opened(strategy: Learning, workload: Workload = ROLES) -> Workload:
    return decide(strategy, Situation(workload, mutators=MUTATORS), Random(0))[0]


def test_it_begins_on_few_keys_of_each_choices_own_set_and_with_short_iterations() -> None:
    workload = opened(Learning())
    assert {len(keys) for keys in choice_sets(workload)} == {4}
    assert all(set(keys) <= set(READ) or set(keys) <= set(WRITE) for keys in choice_sets(workload))
    assert workload.scheduling.transactions == 100


def test_it_runs_under_each_load_once_before_it_mutates_and_again_between() -> None:
    strategy = Learning()
    workload, loads = opened(strategy), []
    for number in range(10):
        pause = workload.scheduling.think_time
        loads.append((workload.scheduling.clients, pause and pause.before))
        mutated = bool(strategy._memory.made[number].by)
        assert mutated == (number in (4, 7)), number
        workload = shown(strategy, workload, number, {RW: 1})
    assert loads[:4] == [(8, "write"), (16, "commit"), (1, None), (8, None)]
    assert loads[5:7] == [(8, "write"), (16, "commit")]
    assert loads[8:] == [(1, None), (8, None)]


def test_what_is_new_makes_an_entry_and_what_is_not_does_not() -> None:
    strategy = Learning()
    workload = shown(strategy, opened(strategy), 0, {RW: 3})
    assert [entry.first for entry in strategy.corpus] == [(RW,)]
    shown(strategy, workload, 1, {RW: 5})
    assert len(strategy.corpus) == 1
    assert strategy.covered.hits == {RW: 2}


def test_mutators_get_credit_for_what_is_new() -> None:
    strategy, features = (
        Learning(),
        [replace(RW, first=first, kind=kind) for first in (True, False) for kind in ("wr", "ww", "rw")],
    )
    workload = opened(strategy)
    for number in range(6):
        workload = shown(strategy, workload, number, {features[number]: 1})
    tried = {name: each for name, each in strategy.credit.yields.items() if each.tried}
    assert tried
    assert all(each.gained > 0 for each in tried.values())
    children = [entry for entry in strategy.corpus if entry.by]
    assert children
    assert all(entry.parent is not None and entry.parent < entry.number for entry in children)


def test_without_contact_each_choice_gets_fewer_keys() -> None:
    strategy = Learning(keys=16)
    workload = shown(strategy, opened(strategy), 0, {})
    assert {len(keys) for keys in choice_sets(workload)} == {8}


def test_where_nearly_everything_is_refused_there_are_fewer_clients() -> None:
    strategy = Learning()
    refused: Mapping[Feature, int] = {RW: 1, Refusal(RW.source, RW.target): 90}
    workload = shown(strategy, opened(strategy), 0, refused, committed=5, aborted=95)
    assert workload.scheduling.clients <= 8


def test_a_plateau_makes_iterations_longer_up_to_the_workloads_own_length() -> None:
    strategy = Learning(patience=1)
    workload = opened(strategy)
    lengths = []
    for number in range(9):
        workload = shown(strategy, workload, number, {RW: 1})
        alone = workload.scheduling.clients == 1
        lengths.append((workload.scheduling.transactions or 0) * (2 if alone else 1))
    assert lengths[:5] == [100, 200, 400, 800, 1600]
    assert set(lengths[5:]) <= {2_000, 4_000}  # of twice as many that one client would have run


def test_one_client_alone_has_half_of_an_iteration() -> None:
    strategy = Learning()
    workload, lengths = opened(strategy), set()
    for number in range(4):
        lengths.add((workload.scheduling.clients == 1, workload.scheduling.transactions))
        workload = shown(strategy, workload, number, {RW: number + 1})
    assert lengths == {(False, 100), (True, 50)}
    single = replace(ROLES, scheduling=Scheduling(1, 2_000))
    assert opened(Learning(), single).scheduling.transactions == 100, "it is not alone for others' sake"


def test_it_stays_within_what_the_owner_allows() -> None:
    strategy, owned = Learning(), replace(ROLES, mutate=AllowedChanges(("mix",)))
    workload = opened(strategy, owned)
    assert replace(workload, mix=owned.mix) == owned
    feedback = FeedbackResult(0, Verdict.VALID, 100, 90, 10, original=owned, coverage={RW: 1})
    following, made, _, _ = decide(strategy, Situation(workload, feedback, mutators=MUTATORS), Random(2))
    assert {each.target for each in made} <= {"mix"}
    assert following.transactions == owned.transactions


def test_a_workload_that_ends_by_time_gets_its_time_back() -> None:
    by_time = replace(ROLES, scheduling=Scheduling(8, None, 10.0))
    strategy = Learning(patience=1, transactions=1_000)
    workload, lengths = opened(strategy, by_time), []
    for number in range(4):
        lengths.append((workload.scheduling.transactions, workload.scheduling.duration))
        feedback = FeedbackResult(number, Verdict.VALID, 100, 90, 10, original=by_time, coverage={RW: 1})
        workload, *_ = decide(strategy, Situation(workload, feedback, mutators=MUTATORS), Random(number))
    assert lengths == [(1_000, None), (1_000, None), (1_000, None), (None, 10.0)], "the third for one client"


def test_a_workload_with_faults_keeps_its_length() -> None:
    """They strike at certain times of a run, which a run of 100 transactions may never reach."""
    faults = (FaultSpec("terminate-backends", every=0.2),)
    by_time = replace(ROLES, faults=faults, scheduling=Scheduling(8, None, duration=5.0))
    assert opened(Learning(), by_time).scheduling.duration == 5.0
    assert opened(Learning(), by_time).scheduling.transactions is None
    assert opened(Learning(), replace(ROLES, faults=faults)).scheduling.transactions == 2_000


def test_a_mutator_of_a_plugin_that_fails_is_named_and_another_one_is_asked() -> None:
    class Broken:
        name, about, kind = "broken", "raises", "keys"

        def propose(self, *_: object) -> None:
            raise KeyError("lost")

    strategy = Learning()
    workload = opened(strategy)
    feedback = FeedbackResult(0, Verdict.VALID, 100, 90, 10, original=ROLES, coverage={RW: 1})
    told: set[str] = set()
    for number in range(72):
        asked = (guarded("mutator", Broken()), *MUTATORS)
        workload, made, warnings, _ = decide(
            strategy, Situation(workload, feedback, (), (), asked), Random(number)
        )
        assert made
        told |= {warning for warning in warnings if "broken" in warning}
    assert told == {"mutator 'broken' failed: KeyError: 'lost'; another one was asked"}


def test_it_says_what_it_has_learnt() -> None:
    strategy = Learning()
    workload = opened(strategy)
    feedback = FeedbackResult(0, Verdict.VALID, 100, 90, 10, original=ROLES, coverage={RW: 1})
    _, _, _, learnt = decide(strategy, Situation(workload, feedback, mutators=MUTATORS), Random(1))
    assert learnt == ("coverage: 1 feature in 1 iteration, 1 new one in this; 1 corpus entry",)


def test_shown_the_same_it_decides_the_same() -> None:
    """What a resumed campaign relies on."""
    runs = []
    for _ in range(2):
        strategy = Learning()
        workload, ran = opened(strategy), []
        for number in range(5):
            workload = shown(strategy, workload, number, {replace(RW, first=bool(number % 2)): 1})
            ran.append(workload)
        runs.append(ran)
    assert runs[0] == runs[1]


def test_it_finds_a_rare_planted_defect_among_a_thousand_keys() -> None:
    """With the iterations that an open loop would need, it would be luck."""
    wide = range(1, 1_001)
    workload = Workload(
        "wide",
        (Transaction("rmw", (Step("r", Choice(wide, "k")), Step("append", Ref("k")))),),
        mix=(Weight("rmw", 1.0),),
        scheduling=Scheduling(8, 2_000),
    )
    found = []
    for seed in range(3):
        adapter = MemoryAdapter(defects=("lost-update",), probability=0.05, defect_seed=seed)
        strategy, state = Learning(), LoopState(workload)
        current = decide(strategy, Situation(workload, mutators=MUTATORS), stream(seed, "opening"))[0]
        with adapter.open(None) as database:
            for number in range(12):
                _, history, _ = recorded(database, replace(current, seed=number), "serializable")
                result = analyze_history(history, "serializable")
                if result.anomaly_types:
                    found.append(number)
                    break
                feedback = state.feedback_result(
                    result, current, number, coverage=coverage(dependencies(history))
                )
                situation = Situation(current, feedback, mutators=MUTATORS)
                current = decide(strategy, situation, stream(seed, "feedback", number))[0]
    assert len(found) == 3, "at most 12 iterations of 100 transactions"
