"""The histories that benchmarks make are what they say they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from txfuzz.analysis.checker.check import check
from txfuzz.common.kind import Kind
from txfuzz.history.model import FAIL, INFO, History
from txfuzz.history.reader import read_history

MAKE = Path(__file__).parents[2] / "benchmarks" / "make_history.py"


def made(folder: Path, *options: str) -> History:
    path = folder / "h.edn"
    subprocess.run(
        [sys.executable, str(MAKE), "--transactions", "2000", "--out", str(path), *options], check=True
    )
    h = read_history(path)
    assert not h.warnings
    assert not h.duplicate_writes
    return h


@pytest.mark.parametrize("kind", list(Kind))
def test_right_by_construction(kind: Kind, tmp_path: Path) -> None:
    h = made(tmp_path, "--kind", kind.value, "--fields")
    assert (h.kind, len(h), h.operations) == (kind, 2000, 4000)
    assert {FAIL, INFO} < set(h.type.tolist())
    assert set(h.logical) == set(range(10))
    assert h.templates == ["mixed"]
    assert check(h, expect="strict-serializable").anomaly_types == ()


def test_stale_readers_are_late_but_serializable(tmp_path: Path) -> None:
    h = made(tmp_path, "--stale", "0.5")
    assert check(h, expect="serializable").anomaly_types == ()
    late = check(h, expect="strict-serializable").anomaly_types
    assert late
    assert all(name.endswith("-realtime") for name in late)


def test_planted_anomalies_are_there(tmp_path: Path) -> None:
    for plant, names in {
        "G1a": {"G1a"},
        "G1b": {"G1b"},
        "G1c": {"G1c"},
        "lost-update": {"lost-update"},
        "read-skew": {"G-single-item"},
        "write-skew": {"G2-item"},
        "incompatible-order": {"incompatible-order"},
    }.items():
        found = set(check(made(tmp_path, "--plant", plant), expect="serializable").anomaly_types)
        assert names <= found, plant
