"""Strategies: the built-in ones, one of a plugin file, and what happens when one fails."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from txfuzz.campaign.loop import run_campaign
from txfuzz.cli import run_command
from txfuzz.errors import ExitCode, UsageError
from txfuzz.feedback.contract import Adjustment, Proposal, Situation
from txfuzz.feedback.strategies import Classic, OpenLoop, Static, decide
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Weight, Workload

READ, WRITTEN = Choice(range(1, 51), "a"), Choice(range(51, 101), "b")
ROLES = Workload(
    "roles",
    (
        Transaction("move", (Step("r", READ), Step("append", WRITTEN))),
        Transaction("look", (Step("r", WRITTEN),)),
    ),
    (Weight("move", 1.0), Weight("look", 1.0)),
)
FIXED = Workload("fixed", (Transaction("t", (Step("append", Choice((7,))),)),), (Weight("t", 1.0),))
MINE = """
from dataclasses import dataclass, field
from typing import ClassVar
from txfuzz.plugin_api import Adjustment, Proposal, hookimpl, option

@dataclass
class Mine:
    name: ClassVar[str] = "mine"
    about: ClassVar[str] = "one more client each time"
    blind: ClassVar[bool] = False
    step: int = option(1, "how many")
    _calls: list = field(default_factory=list)

    def propose(self, situation, random):
        self._calls.append(situation.feedback)
        if situation.feedback is None:
            return Proposal()
        if len(self._calls) > 2:
            raise ValueError("lost")
        before = situation.workload.scheduling.clients
        return Proposal((Adjustment("scheduling.clients", before, before + self.step, "more", self.name),))

@hookimpl
def txfuzz_register_strategies():
    return [Mine]
"""
SMALL = """version: 1
name: small
database: {adapter: memory}
strategy: %s
workload:
  transactions:
    - {name: rmw, steps: [{f: r, key: {choice: {range: [1, 9]}, as: k}}, {f: append, key: {ref: k}}]}
scheduling: {clients: 2, transactions: 40}
"""


def test_static_draws_from_each_choice_s_own_keys_and_keeps_their_roles() -> None:
    workload, made, warnings, _ = decide(Static(writes=8), Situation(ROLES), Random(1))
    assert warnings == ()
    assert [each.target for each in made] == ["keys", "keys.writes"]
    (move, look) = workload.transactions
    read, written = (step.key for step in move.steps)
    assert isinstance(read, Choice)
    assert isinstance(written, Choice)
    assert len(read.keys) == len(written.keys) == 4
    assert max(read.keys) <= 50 < min(written.keys)
    assert look.steps[0].key.keys == written.keys
    assert workload.keys.writes == 8
    assert decide(Static(), Situation(FIXED), Random(1))[0] == FIXED, "there is nothing to choose"
    need_five = Transaction(
        "five", tuple(Step("r", Choice(range(1, 99), str(n), tuple(map(str, range(n))))) for n in range(5))
    )
    crowded = Workload("crowded", (need_five,), (Weight("five", 1.0),))
    narrowed = decide(Static(keys=2), Situation(crowded), Random(1))[0]
    assert len(narrowed.logical_keys()) >= 5, "as many as must differ"


def test_static_is_the_same_for_a_seed_and_another_for_another_one() -> None:
    drawn = [decide(Static(), Situation(ROLES), Random(seed))[0] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_open_loop_and_classic_begin_with_the_workload_as_it_is() -> None:
    for strategy in (OpenLoop(), Classic()):
        assert decide(strategy, Situation(ROLES), Random(1)) == (ROLES, (), (), ())


def test_a_strategy_that_fails_changes_nothing_and_is_named() -> None:
    class Wrong:
        name = about = "wrong"
        blind = False

        def propose(self, situation: Situation, random: Random) -> Proposal:
            return Proposal((Adjustment("clients", 1, 2, "because", "wrong"),))

    workload, made, (warning,), _ = decide(Wrong(), Situation(ROLES), Random(1))
    assert (workload, made) == (ROLES, ())
    assert "unknown target 'clients'" in warning
    assert "strategy 'wrong' changes nothing here" in warning


def test_targets_that_are_fixed_stay_as_they_are() -> None:
    workload, made, _, _ = decide(Static(), Situation(ROLES, fixed=("keys",)), Random(1))
    assert (workload, made) == (ROLES, ())


def test_a_workload_chooses_the_strategy_of_a_plugin_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "small.yaml").write_text(SMALL % "{name: mine, step: 3}")
    campaign = run_campaign(
        workload=tmp_path / "small.yaml", iterations=3, output=tmp_path / "run", lean=True,
        plugin_files=(tmp_path / "mine.py",),
    )  # fmt: skip
    assert campaign.facts.strategy == "mine"
    assert [each.asked.scheduling.clients for each in campaign.iterations if each.asked] == [2, 5, 5]
    assert any("strategy 'mine' failed: ValueError: lost" in note for note in campaign.iterations[1].notes)
    text = (tmp_path / "run" / "iter_01" / "workload.yaml").read_text()
    assert "strategy: {name: mine, step: 3}" in text


def test_the_strategy_of_the_page_halves_the_keys(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "plugins" / "plugin-strategy.md").read_text()
    (tmp_path / "halve.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    (tmp_path / "small.yaml").write_text((SMALL % "halve").replace("[1, 9]", "[1, 400]"))
    campaign = run_campaign(
        workload=tmp_path / "small.yaml", iterations=3, output=tmp_path / "run", lean=True,
        plugin_files=(tmp_path / "halve.py",),
    )  # fmt: skip
    keys = [len(each.asked.logical_keys()) for each in campaign.iterations if each.asked]
    assert keys == [400, 200, 100]


def test_the_command_line_overrides_it_and_the_opening_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL % "open-loop")
    out = tmp_path / "run"
    config = str(tmp_path / "small.yaml")
    arguments = ["--config", config, "--iterations", "2", "--lean", "--output-dir", str(out), "-q"]
    code = run_command(["run", "--strategy", "static", *arguments])
    assert code == ExitCode.NOTHING_FOUND
    record = json.loads((out / "campaign.json").read_text())
    assert record["strategy"] == "static"
    (opening,) = record["opening"]
    assert len(opening["after"]) == 4
    assert (out / "iter_01" / "workload.yaml").read_text().count("strategy: static") == 1


def test_open_loop_beside_another_strategy_is_refused() -> None:
    with pytest.raises(UsageError, match="leave out it or --strategy"):
        run_campaign(open_loop=True, strategy="static")
    assert run_command(["run", "--strategy", "statik"]) == ExitCode.USAGE


def test_references_keep_their_choice() -> None:
    rmw = Transaction("rmw", (Step("r", Choice(range(1, 99), "k")), Step("append", Ref("k"))))
    workload = decide(Static(), Situation(Workload("w", (rmw,), (Weight("rmw", 1.0),))), Random(3))[0]
    assert workload.transactions[0].steps[1].key == Ref("k")
