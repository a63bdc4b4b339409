"""Which schedules a small-scope search runs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from txfuzz.replay.schedule.bounded_orders import bounded_orders
from txfuzz.replay.schedule.pinned_keys import choices_of, step_keys
from txfuzz.replay.small_scope.combinations import conflicts, pairs, running, triples
from txfuzz.replay.small_scope.plan import Weaker, plan, shows_cycle
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

HEAD = "version: 1\nname: example\ndatabase: {adapter: memory}\nworkload:\n  transactions:\n"
SKEW = """
    - name: skew
      steps:
        - {f: r, key: {choice: {range: [1, 9]}, as: a}}
        - {f: r, key: {choice: {range: [1, 9]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
"""
DISJOINT = """
    - name: transfer
      steps:
        - {f: r, key: {choice: {range: [1, 50]}}}
        - {f: append, key: {choice: {range: [51, 100]}}}
    - name: look
      steps: [{f: r, key: {choice: {range: [51, 100]}}}]
"""
AUDIT = """
    - name: withdraw
      steps: [{f: r, key: 1}, {f: r, key: 2}, {f: append, key: 1}]
    - name: deposit
      steps: [{f: r, key: 2}, {f: append, key: 2}]
    - name: audit
      steps: [{f: r, key: 1}, {f: r, key: 2}]
"""
COUNTER = """
    - name: count
      steps:
        - {f: r, key: {choice: {range: [20, 29]}, as: k}}
        - {f: append, key: {ref: k}}
"""
LOCKED = """
    - name: {name}
      steps: [{{f: r, key: {{choice: {{range: [1, 9]}}, as: k}}, lock: update}}{more},
              {{f: append, key: {{ref: k}}}}]
"""
SKEW_READ = {"t1": [(("r", 1),), (("w", 2),)], "t2": [(("r", 2),), (("w", 1),)]}


@pytest.fixture
def made(tmp_path: Path):  # type: ignore[no-untyped-def]
    def workload(transactions: str, more: str = "") -> Workload:
        path = tmp_path / "workload.yaml"
        path.write_text(HEAD + transactions + more)
        return read_workload(path, None)

    return workload


def test_orders_with_fewer_preemptions_come_first() -> None:
    orders = list(bounded_orders(SKEW_READ, 2))

    def preemptions(order: tuple[tuple[str, int], ...]) -> int:
        ends = {"t1": 2, "t2": 2}
        return sum(one[0] != two[0] and one[1] < ends[one[0]] for one, two in pairwise(order))

    counts = [preemptions(order) for order in orders]
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2}
    assert len(set(orders)) == len(orders)


def test_a_dangerous_schedule_is_one_in_which_a_weaker_database_shows_a_cycle() -> None:
    serial, *_ = bounded_orders(SKEW_READ, 0)
    assert not shows_cycle(serial, SKEW_READ)
    assert any(shows_cycle(order, SKEW_READ) for order in bounded_orders(SKEW_READ, 1))


def test_the_stronger_database_that_would_show_it_is_named() -> None:
    one_row = {"t1": [(("r", 1),), (("w", 1),)], "t2": [(("r", 1),), (("w", 1),)]}
    of_skew = {shows_cycle(order, SKEW_READ) for order in bounded_orders(SKEW_READ, 1)}
    of_one_row = {shows_cycle(order, one_row) for order in bounded_orders(one_row, 1)}
    assert of_skew == {None, Weaker.SNAPSHOTS}
    assert of_one_row == {None, Weaker.READ_COMMITTED}, "snapshots refuse the second writer of a row"


def test_a_cycle_counts_only_if_all_transactions_take_part() -> None:
    alone = {**SKEW_READ, "t3": [(("r", 7),)]}
    assert not any(shows_cycle(order, alone) for order in bounded_orders(alone, 1))


def test_transactions_conflict_only_on_keys_that_both_can_choose(made) -> None:  # type: ignore[no-untyped-def]
    workload = made(DISJOINT)
    assert conflicts(running(workload)) == {("transfer", "transfer"): 1, ("transfer", "look"): 1}
    assert not [each for each in plan(workload, 300) if each.dangerous]


def test_roles_are_kept(made) -> None:  # type: ignore[no-untyped-def]
    workload = made(DISJOINT)
    for each in plan(workload, 100):
        for role in each.roles:
            original = workload.transaction(role.template)
            keys = [key for step in step_keys(role.transaction) for key in step]
            sets = [choice.keys for choice in choices_of(original)]
            assert all(key in own for key, own in zip(keys, sets, strict=True))


def test_the_pairs_that_can_show_a_cycle_come_first(made) -> None:  # type: ignore[no-untyped-def]
    lonely = "\n".join(f"    - {{name: n{at}, steps: [{{f: append, key: {100 + at}}}]}}" for at in range(300))
    workload = made(SKEW + lonely)
    assert pairs(workload)[0] == ("skew", "skew")
    assert plan(workload, 20)[0].combination == ("skew", "skew")


def test_what_snapshots_let_pass_takes_turns_with_what_reads_of_committed_rows_do(made) -> None:  # type: ignore[no-untyped-def]
    planned = [each for each in plan(made(SKEW + COUNTER), 30) if len(each.combination) == 2]
    assert [each.shown_by for each in planned[:4]] == [Weaker.SNAPSHOTS, Weaker.READ_COMMITTED] * 2


@pytest.mark.parametrize("alike", [True, False])
def test_the_one_that_forgets_its_lock_is_among_the_first(made, alike: bool) -> None:  # type: ignore[no-untyped-def]
    """Of a hundred others that lock what they read, whether these are all alike or not."""
    locked = "".join(
        LOCKED.format(
            name=f"l{at}", more="" if alike else ", {f: r, key: {ref: k}, lock: update}" * (at % 30)
        )
        for at in range(100)
    )
    forgets = LOCKED.format(name="forgets", more="").replace(", lock: update", "")
    first = plan(made(locked + forgets), 40)[:2]
    assert all("forgets" in each.combination and each.dangerous for each in first)


def test_of_what_is_not_dangerous_what_overlaps_comes_first(made) -> None:  # type: ignore[no-untyped-def]
    planned = plan(made(LOCKED.format(name="locked", more="")), 40, transactions=2)
    assert not any(each.dangerous for each in planned)
    switches = [sum(one[0] != two[0] for one, two in pairwise(each.order)) for each in planned]
    assert switches[0] > 1
    assert 1 in switches, "also one after the other"
    assert sorted(switches, key=lambda each: each == 1) == switches


def test_transactions_without_weight_are_left_out(made) -> None:  # type: ignore[no-untyped-def]
    workload = made(SKEW + DISJOINT, "  mix: [{txn: skew, weight: 1}, {txn: look, weight: 0}]\n")
    assert {name for each in plan(workload, 50) for name in each.combination} == {"skew"}


UNSEEN = """
    - name: claim
      steps:
        - sql: SELECT key, val FROM {table} WHERE key IN (:a, :b) AND val = '{}' LIMIT 1
          args: {a: 1, b: 2}
          elle: {f: r, key_column: key, column: val}
          returns: {job: key}
        - {f: append, key: {ref: job}}
"""


def test_what_the_checker_does_not_see_beforehand_has_its_turn(made) -> None:  # type: ignore[no-untyped-def]
    """Nobody can tell whether two claims are dangerous, so they do not wait until all that is has run."""
    planned = plan(made(UNSEEN + SKEW + COUNTER), 40)
    claims = [at for at, each in enumerate(planned) if each.combination == ("claim", "claim")]
    assert claims[0] < 4
    assert len({one[0] for one in planned[claims[0]].order[:-2]}) == 2
    assert planned[claims[0]].order[1][0] == planned[claims[0]].order[-1][0], "they overlap"


def test_triples_of_the_last_of_many_transactions_take_part(made) -> None:  # type: ignore[no-untyped-def]
    own = "\n".join(
        f"    - {{name: n{at}, steps: [{{f: r, key: {100 + at}}}, {{f: append, key: {500 + at}}}]}}"
        for at in range(250)
    )
    workload = made(own + AUDIT)
    assert ("withdraw", "deposit", "audit") in triples(workload)
    together = [
        each for each in plan(workload, 40) if set(each.combination) == {"withdraw", "deposit", "audit"}
    ]
    assert any(each.dangerous for each in together)


def test_a_plan_that_has_to_end_has_the_first_combination(made) -> None:  # type: ignore[no-untyped-def]
    asked: list[None] = []
    planned = plan(made(AUDIT), 40, ends=lambda: asked.append(None) is None)
    assert {each.combination for each in planned} == {pairs(made(AUDIT))[0]}
    assert len(asked) == 2


def test_transactions_may_have_hundreds_of_steps() -> None:
    long = {alias: [(("r", 1),), (("w", 2),)] * 200 for alias in ("t1", "t2", "t3")}
    few, *_ = bounded_orders(long, 0)
    assert len(few) == 3 * 401
    one = next(order for order in bounded_orders(long, 1) if order != few)
    assert len(one) == len(set(one)) == len(few)


def test_triples_get_their_share(made) -> None:  # type: ignore[no-untyped-def]
    workload = made(AUDIT)
    assert ("withdraw", "deposit", "audit") in triples(workload)
    planned = plan(workload, 60)
    sizes = Counter(len(each.combination) for each in planned)
    assert sizes[3] >= 20
    assert any(each.dangerous and "audit" in each.combination for each in planned)
    assert {len(each.combination) for each in plan(workload, 60, transactions=2)} == {2}


def test_every_other_combination_meets_rows_that_exist_first(made) -> None:  # type: ignore[no-untyped-def]
    planned = plan(made(SKEW + COUNTER), 60, transactions=2)
    first: dict[tuple[str, ...], str] = {}
    for each in planned:
        first.setdefault(each.combination, each.rows)
    assert set(first.values()) == {"fresh", "inserted"}


@pytest.mark.parametrize(("rows", "expected"), [("fresh", {"fresh", "inserted"}), ("inserted", {"inserted"})])
def test_rows_exist_or_not_as_in_a_campaign(made, rows, expected) -> None:  # type: ignore[no-untyped-def]
    planned = plan(made(SKEW, f"keys: {{rows: {rows}}}\n"), 30)
    assert {each.rows for each in planned} == expected


def test_a_plan_is_the_same_each_time(made) -> None:  # type: ignore[no-untyped-def]
    assert plan(made(SKEW + DISJOINT), 80) == plan(made(SKEW + DISJOINT), 80)
    assert plan(made("    - {name: look, steps: [{f: r, key: 1}]}\n"), 80) == []
