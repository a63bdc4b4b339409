"""The corpus of a campaign on disk."""

from __future__ import annotations

import json
from pathlib import Path

from txfuzz import Verdict, run_campaign
from txfuzz.campaign.directory.corpus import KeepsCorpus, write_corpus
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.feedback.learning.strategy import Learning
from txfuzz.feedback.strategies import OpenLoop

WORKLOAD = """\
version: 1
name: learnt
database: {adapter: memory, isolation: serializable}
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 60]}, as: k}}
        - {f: append, key: {ref: k}}
    - name: skew
      steps:
        - {f: r, key: {choice: {range: [1, 60]}, as: a}}
        - {f: r, key: {choice: {range: [1, 60]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
strategy: {name: learning, transactions: 12}
scheduling: {clients: 4, transactions: 200}
"""


def test_what_reached_something_first_is_kept_with_its_parents(tmp_path: Path) -> None:
    (tmp_path / "learnt.yaml").write_text(WORKLOAD)
    out = tmp_path / "out"
    result = run_campaign(workload=tmp_path / "learnt.yaml", iterations=12, output=out, lean=True)
    assert result.verdict is not Verdict.INVALID  # twelve transactions may meet nowhere: then it is unknown
    found = json.loads((out / "corpus" / "corpus.json").read_text())
    entries = found["entries"]
    assert [entry["number"] for entry in entries] == list(range(len(entries)))
    assert len(entries) >= 2, "the first iteration cannot show everything"
    for entry in entries:
        text = (out / "corpus" / f"{entry['number']:04d}.yaml").read_text()
        assert all(f"#   {feature}\n" in text for feature in entry["first"])
        assert entry["parent"] is None or entry["parent"] < entry["number"]
    assert all(set(each) == {"rate", "transactions", "tried"} for each in found["mutators"].values())
    notes = (out / "iter_11" / "notes.md").read_text()
    assert "coverage: " in notes


def test_only_a_strategy_with_a_corpus_leaves_one(tmp_path: Path) -> None:
    for strategy in (OpenLoop(), guarded("strategy", Stubborn())):
        assert not isinstance(strategy, KeepsCorpus)
        write_corpus(strategy, tmp_path)
    assert not (tmp_path / "corpus").exists()
    assert isinstance(guarded("strategy", Keeping()), KeepsCorpus), "a guard passes it on"


class Stubborn(OpenLoop):
    """Of a plugin."""


class Keeping(Learning):
    """Of a plugin."""
