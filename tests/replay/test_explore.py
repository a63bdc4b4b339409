"""The interleavings of a few transactions: each once, and what they give on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_fixtures import Ran
from replay_server import playing, server, shipped
from txfuzz.database.api import Database
from txfuzz.replay.explore import explore, plan
from txfuzz.replay.judge import Judge
from txfuzz.replay.schedule.interleavings import Interleavings, sampled
from txfuzz.replay.schedule.key_assignments import MOST_ASSIGNMENTS, all_key_assignments, key_assignments
from txfuzz.replay.schedule.mvcc_model import Access, Event, predict
from txfuzz.replay.schedule.pinned_keys import choices_of, step_keys
from txfuzz.replay.schedule.replay_workload import Aim, Role, compose, schedule
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Choice, Ref, Step, Transaction

__all__ = ["server"]

CASES = Path(__file__).parents[2] / "tests" / "cases"
Accesses = dict[str, tuple[Access, ...]]
acts = st.tuples(st.sampled_from("rwl"), st.integers(1, 3))
steps = st.lists(acts, min_size=1, max_size=2).map(tuple)  # a statement may do several things
accesses_of = st.lists(steps, min_size=1, max_size=2).map(tuple)


def table_of(shown: str) -> dict[str, list[str]]:
    return {line[:16].strip(): line[16:].split() for line in shown.splitlines()}


def every_order(accesses: Accesses) -> set[tuple[Event, ...]]:
    """By brute force."""
    labels = [alias for alias, each in accesses.items() for _ in range(len(each) + 1)]
    orders = set()
    for labelled in set(permutations(labels)):
        done = dict.fromkeys(accesses, 0)
        order: list[Event] = []
        for alias in labelled:
            order.append((alias, done[alias]))
            done[alias] += 1
        orders.add(tuple(order))
    return orders


@settings(max_examples=60, deadline=None)
@given(st.lists(accesses_of, min_size=2, max_size=3))
def test_each_interleaving_comes_once(all_accesses: list[tuple[Access, ...]]) -> None:
    accesses = {f"t{at}": each for at, each in enumerate(all_accesses)}
    if sum(len(each) + 1 for each in all_accesses) > 8:
        accesses = dict(list(accesses.items())[:2])
    interleavings = Interleavings(accesses)
    orders = every_order(accesses)
    assert interleavings.count == len(orders)
    different = list(interleavings.all())
    assert len(different) == len(set(different))
    assert {interleavings.normal(order) for order in orders} == set(different)


@settings(max_examples=60, deadline=None)
@given(st.lists(accesses_of, min_size=2, max_size=2), st.booleans())
def test_orders_that_mean_the_same_bring_the_same_about(
    all_accesses: list[tuple[Access, ...]], snapshots: bool
) -> None:
    accesses = {f"t{at}": each for at, each in enumerate(all_accesses)}
    interleavings = Interleavings(accesses)
    found: dict[tuple[Event, ...], object] = {}
    for order in every_order(accesses):
        prediction = predict(order, accesses, snapshots=snapshots)
        same = found.setdefault(interleavings.normal(order), (prediction.links, prediction.refused))
        assert same == (prediction.links, prediction.refused)


def test_a_sample_is_drawn_by_its_seed() -> None:
    accesses: Accesses = {f"t{at}": ((("r", 1),), (("w", 2),), (("r", 3),), (("w", 1),)) for at in range(4)}
    one, again, other = (sampled(accesses, 20, seed) for seed in (1, 1, 2))
    assert one == again != other
    assert len(set(one)) == 20


def choose(*keys: Sequence[int]) -> Transaction:
    chosen = [Choice(tuple(each), f"k{at}") for at, each in enumerate(keys)]
    return Transaction("any", tuple(Step("r" if at else "append", key) for at, key in enumerate(chosen)))


def test_keys_are_shared_in_every_way_once() -> None:
    ways = list(all_key_assignments([choose(range(1, 100), range(1, 100))] * 2))
    marks = set(acts_of(ways))
    assert len(marks) == len(ways)
    # append a, read b: both on one key; the same two; two crosswise; …
    assert ((("w", 1), ("r", 2)), (("w", 2), ("r", 1))) in marks
    assert ((("w", 1), ("r", 1)), (("w", 1), ("r", 1))) in marks
    assert all(set(one) & set(two) or {key for _, key in one} & {key for _, key in two} for one, two in marks)
    assert list(all_key_assignments([choose([1]), choose([2])])) == []


def acts_of(ways: Iterable[Sequence[Role]]) -> list[tuple[tuple[tuple[str, int], ...], ...]]:
    """Of each role what its steps do, each of which does one thing."""
    return [
        tuple(tuple(act for access in role.accesses for act in access or ()) for role in way) for way in ways
    ]


lists = st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True)
drawn = st.tuples(st.sampled_from(["r", "append"]), lists, st.booleans())


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    steps: list[Step] = []
    for f, keys, differs in draw(st.lists(drawn, min_size=1, max_size=3)):
        others = tuple(f"k{at}" for at in range(len(steps))) if differs else ()
        steps.append(Step(f, Choice(tuple(keys), f"k{len(steps)}", others)))
    return Transaction("any", tuple(steps))


@settings(max_examples=200, deadline=None)
@given(st.lists(transactions(), min_size=2, max_size=2))
def test_ways_to_share_keys_are_possible_ones_and_found_where_there_are_any(pair: list[Transaction]) -> None:
    """Against every choice of keys that the transactions could make."""
    choices = [choices_of(each) for each in pair]
    possible = set()
    for keys in product(*(choice.keys for each in choices for choice in each)):
        left = iter(keys)
        given = [[next(left) for _ in each] for each in choices]
        differ = all(
            key != mine[int(name[1:])]
            for each, mine in zip(choices, given, strict=True)
            for choice, key in zip(each, mine, strict=True)
            for name in choice.distinct_from
        )
        names: dict[int, int] = {}
        mark = tuple(
            tuple(("w" if step.writes else "r", names.setdefault(key, len(names) + 1))
                  for step, key in zip(each.steps, mine, strict=True))
            for each, mine in zip(pair, given, strict=True)
        )  # fmt: skip
        one, two = ({key for _, key in each} for each in mark)
        write = {key for each in mark for f, key in each if f == "w"}
        if differ and one & two & write:
            possible.add(mark)
    if all(satisfiable(each) for each in choices):
        found = acts_of(all_key_assignments(pair))
        assert len(found) == len(set(found))
        assert set(found) <= possible
        assert bool(found) == bool(possible)
        if len({choice.keys for each in choices for choice in each}) == 1:  # keys are as good as each other
            needed = max(map(len, choices))
            few = {mark for mark in possible if len({key for each in mark for _, key in each}) <= needed}
            assert few <= set(found)


def four(count: int, *, differ: bool = True) -> Transaction:
    keys = range(1, 100)
    named = [f"k{at}" for at in range(count)]
    choices = [Choice(keys, name, tuple(named[:at]) if differ else ()) for at, name in enumerate(named)]
    return Transaction("any", (*(Step("r", each) for each in choices), Step("append", Ref("k0"))))


@pytest.mark.slow
def test_any_number_of_keys_can_be_shared() -> None:
    every = key_assignments([four(4)] * 2)
    assert (len(every.chosen), every.count, every.sampled) == (24, 24, False)
    one, again, other = (key_assignments([four(5)] * 2, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    assert (len(one.chosen), one.count, one.sampled) == (MOST_ASSIGNMENTS, 120, True)
    assert set(acts_of(one.chosen)) < set(acts_of(all_key_assignments([four(5)] * 2)))
    many = key_assignments([four(7, differ=False)] * 2, 10, 3)
    assert (len(many.chosen), many.count, many.sampled) == (10, None, True)
    assert len(set(acts_of(many.chosen))) == 10


def test_keys_for_later_choices_are_left() -> None:
    """The last choice has two keys, which ten others may take first."""
    names = [f"k{at}" for at in range(10)]
    chosen = [Choice(range(1, 12), name, tuple(names[:at])) for at, name in enumerate(names)]
    last = Choice((1, 2), "last", tuple(names))
    tight = Transaction("tight", (*(Step("r", each) for each in chosen), Step("append", last)))
    found = key_assignments([tight] * 2, 5, renamed=False, enumerated=48)
    assert len(found.chosen) == 5
    assert all(len(set(step_keys(role.transaction))) == 11 for way in found.chosen for role in way)


def test_transactions_may_have_hundreds_of_choices() -> None:
    many = Transaction("many", tuple(Step("append", Choice(range(1, 4))) for _ in range(600)))
    found = key_assignments([many] * 2, 1, renamed=False, enumerated=1)
    assert [len(role.transaction.steps) for role in found.chosen[0]] == [600, 600]


def test_transactions_meet_wherever_their_lists_do() -> None:
    low, high = Choice(range(1, 5001)), Choice(range(4000, 9001))
    append, look = Transaction("a", (Step("append", low),)), Transaction("b", (Step("r", high),))
    assert acts_of(all_key_assignments([append, look])) == [((("w", 1),), (("r", 1),))]
    both = Transaction("both", (Step("r", Choice((1, 2, 3))), Step("append", Choice(tuple(range(50, 99))))))
    other = Transaction("other", (Step("r", Choice((1, 2, 3))), Step("r", Choice((70, 40)))))
    assert all(("w", key) in way[0] and ("r", key) in way[1]
               for way in acts_of(all_key_assignments([both, other])) for _, key in way[0][1:])  # fmt: skip
    assert acts_of(all_key_assignments([both, other]))


def test_no_more_schedules_than_were_asked_for() -> None:
    for most in (1, 7, 100, 2000):
        ways = key_assignments([four(4)] * 2, min(most, MOST_ASSIGNMENTS), 1)
        cases = plan(ways.chosen, most, 1)
        assert 1 <= sum(len(case.orders) for case in cases) <= most
        assert all(case.orders for case in cases)


@pytest.mark.server
@pytest.mark.parametrize("rows", ["inserted", "fresh"])
def test_pruned_orders_mean_the_same_on_the_server(server: Database, rows: str) -> None:
    """All 140 orders of two transactions against their representatives, at two levels."""
    assembled = shipped("write_skew")
    for isolation in ("read committed", "repeatable read"):
        (case, *_) = plan(key_assignments(assembled.workload.transactions).chosen, 10_000, 0)
        accesses = {role.alias: role.accesses for role in case.roles}
        interleavings = Interleavings(accesses)
        by_alias = {role.alias: role for role in case.roles}
        composed = compose(assembled.workload, case.roles, case.orders[0], Aim(), rows=rows)
        assert composed.replay is not None
        judge = Judge("serializable", isolation)
        found: dict[tuple[Event, ...], tuple[str, ...]] = {}
        with playing(server, replace(assembled, isolation=isolation)) as player:
            prepared = player.prepare(composed)
            for order in every_order(accesses):
                attempt = prepared.run(replace(composed.replay, schedule=schedule(order, by_alias)))
                types = judge.judge(attempt).all_types
                assert found.setdefault(interleavings.normal(order), types) == types


@pytest.mark.server
def test_levels_against_anomalies(server: Database) -> None:
    assembled = shipped("write_skew")
    capabilities = assembled.adapter.capabilities()
    names = [each.name for each in assembled.workload.transactions]
    found = explore(
        assembled.workload, names, server, capabilities.isolation, "serializable", rows="inserted"
    )
    assert (len(found.cases), found.orders, found.sampled) == (2, 140, False)
    levels = {level.isolation: level for level in found.levels}
    assert [level.broken for level in found.levels] == [(), (), (), ()]
    assert all(level.schedules == found.distinct for level in found.levels)
    assert set(levels["read committed"].anomalies) == {"G-single-item", "G2-item", "lost-update"}
    assert levels["read uncommitted"].anomalies == levels["read committed"].anomalies
    assert set(levels["repeatable read"].anomalies) == {"G2-item"}
    assert levels["serializable"].anomalies == {}
    assert set(levels["repeatable read"].aborted) == {"40001"}
    assert levels["serializable"].aborted["40001"] > levels["repeatable read"].aborted["40001"]
    assert all(level.races == level.unknown == level.stuck == 0 for level in found.levels)
    assert all(level.judged == level.schedules - level.aborted["40001"] for level in found.levels[:3])


@pytest.mark.server
def test_rows_are_there_when_the_workload_says_so(server: Database) -> None:
    assembled = shipped("lost_update")
    names = ["read_append", "read_append"]
    levels = {"repeatable read": "snapshot-isolation"}
    (fresh,) = explore(assembled.workload, names, server, levels, "serializable").levels
    assert (set(fresh.aborted), fresh.races) == ({"23505"}, fresh.aborted["23505"])
    beforehand = replace(assembled.workload, keys=replace(assembled.workload.keys, rows="inserted"))
    found = explore(beforehand, names, server, levels, "serializable")
    assert (set(found.levels[0].aborted), found.levels[0].races) == ({"40001"}, 0)
    assert found.rows == "inserted"


@pytest.mark.server
def test_two_inserts_of_rows_that_both_missed(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz(
        "explore", CASES / "explore-fresh-rows.yaml", "--transactions", "c1,c2", "--output-dir", "found",
        "--isolation", "repeatable read", "--isolation", "serializable",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert table_of(ran.out)["G2-item"] == ["7", "–"]
    assert table_of(ran.out)["aborted 40001"] == ["–", "7"]
    assert table_of(ran.out)["no anomaly"] == ["2", "2"]  # one after the other
    replay = tmp_path / "found" / "repeatable-read_G2-item.yaml"
    assert "rows: fresh" in replay.read_text()
    assert "G2-item in 1" in txfuzz("execute", "--config", replay, "--out", "h.edn").out


@pytest.mark.server
def test_a_transaction_of_four_keys(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("explore", CASES / "explore-four-keys.yaml", "--transactions", "book,book",
                 "--isolation", "repeatable read", "--rows", "inserted", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["ways"], told["cases"], told["rows"], told["sampled"]) == (24, 24, "inserted", False)
    (level,) = told["levels"]
    assert level["schedules"] == told["distinct"]
    assert level["anomalies"]["G2-item"] > level["clean"] > 0
    assert level["schedules"] == level["anomalies"]["G2-item"] + level["clean"] + level["aborted"]["40001"]


@pytest.mark.server
def test_without_micro_operations_nothing_is_judged(server: Database, txfuzz: Callable[..., Ran]) -> None:
    import psycopg

    url = server.describe()["url"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.accounts (id int PRIMARY KEY, owner text, balance int)")
        connection.execute("INSERT INTO public.accounts VALUES (1, 'ann', 500), (2, 'ann', 100)")
    case, name = CASES / "own-table-without-micro-operations.yaml", "withdraw_if_enough"
    ran = txfuzz("explore", case, "--transactions", f"{name},{name}", "--database-url", url)
    assert ran.code == 3, ran.err
    table = table_of(ran.out)
    assert set(table["no anomaly"]) == {"–"}
    assert table["nothing to check"][0] == table["schedules"][0] == "20"
    assert int(table["nothing to check"][2]) + int(table["aborted 40001"][2]) == 20
    assert "No verdict: none of their statements carries a micro-operation" in ran.out


BY_LEVEL = """\
version: 1
database: {adapter: memory, defects: DEFECTS, every: 1}
keys: {rows: inserted}
workload:
  transactions:
    - {name: lock, steps: [{f: r, key: 1, lock: update}]}
    - {name: bump, steps: [{f: r, key: 1}, {f: append, key: 1}]}
"""


@pytest.mark.parametrize(
    ("defects", "transactions", "code", "said"),
    [
        ("[]", "bump,bump", 0, "no anomaly"),
        ("[lost-update]", "bump,bump", 1, "! snapshot promises strong-snapshot-isolation, which forbids"),
        ("[lost-update]", "lock,lock", 3, "No verdict: in no schedule did a committed transaction depend"),
    ],
)
def test_exit_codes(
    tmp_path: Path, txfuzz: Callable[..., Ran], defects: str, transactions: str, code: int, said: str
) -> None:
    (tmp_path / "w.yaml").write_text(BY_LEVEL.replace("DEFECTS", defects))
    ran = txfuzz("explore", "w.yaml", "--transactions", transactions, "--isolation", "snapshot")
    assert (ran.code, ran.err) == (code, "")
    assert said in ran.out
    table = table_of(ran.out)
    assert (table["no anomaly"] == ["–"]) == (code == 3)
    assert (table.get("nothing to check") == table["schedules"]) == (code == 3)


@pytest.mark.server
def test_a_sample_where_there_are_too_many(server: Database) -> None:
    assembled = shipped("read_only_anomaly")
    names = ["deposit", "withdraw", "audit"]
    levels = {"repeatable read": "snapshot-isolation"}
    found = explore(assembled.workload, names, server, levels, "serializable", most=30)
    assert found.sampled
    assert found.levels[0].schedules == found.distinct == 30
    assert found.orders == 4200


@pytest.mark.server
def test_the_command(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz(
        "explore", "lost_update", "--transactions", "read_append,read_append", "--output-dir", "found",
        "--isolation", "READ COMMITTED", "--isolation", "repeatable-read", "--rows", "inserted",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "20 orders of their steps, of which 14" in ran.out
    table = table_of(ran.out)
    assert table["lost-update"] == ["12", "–"]
    assert table["aborted 40001"] == ["–", "12"]
    told = json.loads((tmp_path / "found" / "explore.json").read_text())
    assert [level["schedules"] for level in told["levels"]] == [14, 14]
    replay = tmp_path / "found" / "read-committed_lost-update.yaml"
    assert "lost-update in 1" in txfuzz("execute", "--config", replay, "--out", "h.edn").out


@pytest.mark.parametrize(
    ("transactions", "said"),
    [
        ("read_append,read_apend", "no transaction 'read_apend' in lost_update: did you mean 'read_append'?"),
        ("read_append", "--transactions needs at least two"),
    ],
)
def test_mistakes(txfuzz: Callable[..., Ran], transactions: str, said: str) -> None:
    ran = txfuzz("explore", "lost_update", "--transactions", transactions)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
