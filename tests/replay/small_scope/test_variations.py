"""What a small-scope search tries besides the workload as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.feedback.adjustments import apply
from txfuzz.replay.small_scope.plan import in_series
from txfuzz.replay.small_scope.variations import variations
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

TEXT = """
version: 1
name: varied
database: {adapter: memory, layout: ordered, plan: default}
workload:
  transactions:
    - name: move
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: a}}
        - {f: append, key: {ref: a}}
        - {f: append, key: {choice: {from: [1, 2]}, distinct_from: [a]}}
    - name: look
      steps: [{f: r, key: {choice: {from: [1, 2]}}}]
"""
KINDS = ("rows", "forms", "plans", "layout")


@pytest.fixture
def varied(tmp_path: Path) -> Callable[..., Workload]:
    def make(*kinds: str) -> Workload:
        path = tmp_path / "varied.yaml"
        path.write_text(TEXT)
        allowed = AllowedChanges(
            kinds,
            rows=("fresh", "inserted", "deleted"),
            forms={"r": ("range", "count"), "append": ("replace",)},
            plans={"plan": ("default", "scan")},
            layout={"layout": ("ordered", "hashed")},
        )
        return replace(read_workload(path, None), mutate=allowed)

    return make


def test_each_kind_has_its_turn_and_each_change_can_be_made(varied: Callable[..., Workload]) -> None:
    workload = varied(*KINDS)
    changes = variations(workload)
    forms = {"reads written as range", "reads written as count", "writes written as replace"}
    assert [each.reason for each in changes[:3]] == [
        "layout hashed instead of ordered",
        "deleted rows instead of fresh ones",  # inserted ones are met anyway
        "plan scan instead of default",
    ]
    assert {each.reason for each in changes[3:]} == forms
    made = {each.reason: apply(workload, [each]) for each in changes}
    assert workload not in made.values()
    read, written = made["reads written as range"], made["writes written as replace"]
    assert [step.form for step in read.transaction("move").steps] == ["range", None, None]
    assert [step.form for step in written.transaction("move").steps] == [None, "replace", "replace"]
    assert variations(workload) == changes  # the seed decides


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_workload_allows_is_changed(varied: Callable[..., Workload], kind: str) -> None:
    assert {each.target for each in variations(varied(kind))} == {{"rows": "keys.rows"}.get(kind, kind)}
    assert variations(varied("keys", "mix")) == ()


def test_in_series_the_second_reads_what_the_first_wrote(varied: Callable[..., Workload]) -> None:
    planned = in_series(varied(), 9)
    assert {each.combination for each in planned} == {("move", "move")}  # a look alone conflicts once
    for each in planned:
        first, second = each.roles
        assert each.order == tuple((role.alias, at) for role in (first, second) for at in range(4))
        written = {key for acts in first.accesses for f, key in acts or () if f == "w"}
        assert written & {key for acts in second.accesses for f, key in acts or () if f == "r"}
    assert in_series(varied(), 1) == planned[:1]
