"""What the feedback knows of an iteration is the same, read back without its history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engines_in_turn import InTurn
from txfuzz import run_campaign
from txfuzz.campaign.directory.run_directory import IterationDirectory
from txfuzz.campaign.directory.values import ArtefactError
from txfuzz.campaign.iterations.record import kept_iteration
from txfuzz.campaign.sources.resumed import iterations_in

WORKLOAD = """
version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: snapshot-isolation
strategy: learning
seed: 3
workload:
  transactions:
    - name: both
      steps:
        - {f: r, key: {choice: {range: [1, 3]}}}
        - {f: append, key: {choice: {range: [1, 3]}}}
        - {f: append, key: {choice: {range: [1, 3]}}}
scheduling: {clients: 4, transactions: 80, barrier_every: 5}
"""


def test_what_the_feedback_knows_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = InTurn(1)
    monkeypatch.setattr("txfuzz.campaign.workers.cluster.Cluster", lambda *_, **__: engine)
    path, out = tmp_path / "w.yaml", tmp_path / "out"
    path.write_text(WORKLOAD)
    run_campaign(workload=path, iterations=2, output=out, dask="tcp://there:1")
    assert iterations_in(out) == 2
    for number in range(2):
        files = IterationDirectory(out / f"iter_{number:02d}")
        ran, kept = engine.known[number].ran, kept_iteration(files)
        assert ran is not None
        assert kept is not None
        assert ran.coverage
        assert ran.directions
        assert ran.course
        assert ran.execution is not None
        assert replace(kept, execution=None, result=ran.result) == replace(ran, execution=None)
        assert kept.execution is not None
        assert kept.execution.ok == ran.execution.ok
        assert kept.result.near_cycles == ran.result.near_cycles
        assert kept.result.to_json() == ran.result.to_json()
    assert engine.known[1].ran.directed, "the second one plays a near-cycle of the first"  # type: ignore[union-attr]


def test_a_file_that_was_damaged_is_named(tmp_path: Path) -> None:
    files = IterationDirectory(tmp_path)
    assert kept_iteration(files) is None
    files.feedback.write_text("{}")
    with pytest.raises(ArtefactError, match=r"analysis\.json: is missing, so the campaign cannot be resumed"):
        kept_iteration(files)
    files.analysis.write_text("{}")
    with pytest.raises(ArtefactError, match="not written by this version of txfuzz"):
        kept_iteration(files)
    files.feedback.write_text('{"coverage": 1}')
    with pytest.raises(ArtefactError, match=r"feedback\.json: not written by this version"):
        kept_iteration(files)
