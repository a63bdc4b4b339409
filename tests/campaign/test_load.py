"""--clients, --transactions, --duration and --keys in place of the workload's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.campaign.setup.load import Load, with_keys_of, with_load
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.setup.workload_files import read_workload
from txfuzz.common.key_ranges import Keys
from txfuzz.errors import UsageError
from txfuzz.feedback.roles import choices
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload

Cli = Callable[..., Ran]
WORKLOAD = """version: 1
name: small
database: {{adapter: memory, isolation: serializable}}
workload:
  transactions:
    - name: a
      steps:
        - {{f: r, key: {{choice: {first}, as: k}}}}
        - {{f: append, key: {{choice: {second}, distinct_from: [k]}}}}
scheduling: {{clients: 3, duration: 20s}}
"""


def workload(first: str = "{range: [1, 9]}", second: str | None = None) -> Workload:
    return parse_workload(WORKLOAD.format(first=first, second=second or first), "w.yaml", None)


def keys_of(found: Workload) -> list[Keys]:
    return [each.keys for transaction in found.transactions for each in choices(transaction)]


def test_what_is_not_given_stays() -> None:
    assert with_load(workload(), Load()) == workload()


def test_what_is_given_replaces_the_workloads_own() -> None:
    found = with_load(workload(), Load(clients=5, transactions=70, keys=4)).scheduling
    assert (found.clients, found.transactions, found.duration) == (5, 70, None)
    found = with_load(workload(), Load(duration=1.5)).scheduling
    assert (found.clients, found.transactions, found.duration) == (3, None, 1.5)


@pytest.mark.parametrize(
    ("first", "count", "keys"),
    [
        ("{range: [1, 9]}", 4, range(1, 5)),
        ("{range: [1, 9]}", 9, range(1, 10)),
        ("{range: [1, 9]}", 100, range(1, 101)),
        ("{range: [5, 9]}", 2, range(5, 7)),
        ("{from: [1, 2, 3]}", 2, (1, 2)),
        ("{from: [1, 2, 3]}", 6, range(1, 7)),
        ("{from: [2, 7, 30]}", 2, (2, 7)),
    ],
)
def test_each_choice_has_as_many_keys(first: str, count: int, keys: Keys) -> None:
    assert keys_of(with_keys_of(workload(first), count)) == [keys, keys]


def test_a_choice_of_one_key_stays_as_it_is() -> None:
    assert keys_of(with_keys_of(workload("{from: [7]}", "{range: [1, 4]}"), 2)) == [(7,), range(1, 3)]


@pytest.mark.parametrize(
    ("given", "count", "why"),
    [
        (("{range: [1, 9]}",), 1, "--keys 1 is too few: the choices of transaction 'a' could not differ"),
        (("{from: [2, 7]}",), 3, "--keys 3 is too many: a choice of the workload lists 2 keys with gaps"),
        (
            ("{range: [1, 4]}", "{range: [5, 8]}"), 5,
            "--keys 5 is too many: choices among 1 to 4 and among 5 to 8 share no key, and would come to",
        ),
        (("{from: [1]}", "{from: [2]}"), 2, "--keys has no effect: no transaction of the workload chooses"),
        (("{range: [1, 9]}",), 0, "--keys must be a whole number from 1 to"),
    ],
)  # fmt: skip
def test_keys_that_cannot_be(given: tuple[str, ...], count: int, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        with_keys_of(workload(*given), count)
    assert str(refused.value).startswith(why)


def test_rows_of_own_tables_cannot_grow() -> None:
    plain = workload("{range: [1, 4]}")
    (transaction,) = plain.transactions
    steps = tuple(replace(step, own_table=True) for step in transaction.steps)
    own = replace(plain, transactions=(replace(transaction, steps=steps),))
    assert keys_of(with_keys_of(own, 3)) == [range(1, 4)] * 2
    with pytest.raises(UsageError, match="the keys are rows of the workload's own tables"):
        with_keys_of(own, 5)


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (Load(clients=0), "--clients must be a whole number from 1 to 10,000, found 0"),
        (Load(transactions=0), "--transactions must be a whole number of at least 1, found 0"),
        (Load(duration=0.0), "--duration must be a time above zero, such as 30s, found 0"),
        (Load(duration=float("nan")), "--duration must be a time above zero, such as 30s, found nan"),
    ],
)
def test_a_load_that_cannot_be(load: Load, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        with_load(workload(), load)


def test_an_iteration_ends_in_one_way() -> None:
    with pytest.raises(UsageError, match="both say when an iteration ends"):
        CampaignSettings(transactions=3, duration=2.0)


def test_the_campaign_keeps_it_in_its_record_and_when_it_goes_on(txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD.format(first="{range: [1, 9]}", second="{range: [1, 9]}"))
    run = ("run", "w.yaml", "--iterations", 1, "--open-loop", "--output-dir", "out", "-q")
    ran = txfuzz(*run, "--clients", 2, "--transactions", 40, "--keys", 3, "--max-graph-nodes", 0)
    assert ran.code == 0, ran.err
    arguments = json.loads((tmp_path / "out" / "campaign.json").read_text())["arguments"]
    assert {name: arguments[name] for name in ("clients", "transactions", "duration", "keys")} == {
        "clients": 2, "transactions": 40, "duration": None, "keys": 3,
    }  # fmt: skip
    assert txfuzz("run", "--resume", "out", "--iterations", 2, "-q").code == 0
    for number in (0, 1):
        found = read_workload(tmp_path / "out" / f"iter_0{number}" / "workload.yaml")
        assert (found.scheduling.clients, found.scheduling.transactions) == (2, 40)
        assert keys_of(found) == [range(1, 4)] * 2


def test_where_nothing_is_run_it_is_refused(txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    ran = txfuzz("run", "--skip-run", "--output-dir", "out", "--clients", 2)
    assert (ran.code, ran.err) == (2, "txfuzz: with --skip-run nothing is run: leave out --clients\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--clients", "0"), ("--transactions", "x"), ("--duration", "soon"), ("--keys", "0")],
)
def test_bad_values_get_one_sentence(txfuzz: Cli, option: str, value: str) -> None:
    ran = txfuzz("run", "example", option, value)
    assert ran.code == 2
    assert f"Invalid value for '{option}'" in ran.err
