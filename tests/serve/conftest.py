"""A directory with a run of each kind, made without a database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from report_runs import ABORTED, FORK, SKEW, campaign, judged, third_plugin
from txfuzz.serve.application import application

HUNT = {
    "format": 1,
    "server": "Memory 2",
    "settings": {"adapter": "memory", "isolation": ["serializable"], "strategy": "random"},
    "counts": {"schedules": 9, "unknown": 0},
    "holes": [{"name": "gone", "known": ""}],
    "interrupted": False,
}
CHECK = {
    "format": 1, "name": "bank", "server": "Memory 1", "adapter": "memory", "levels": [],
    "asked": ["serializable"],
    "failing": [], "unjudged": [], "sets": [], "crowds": [], "interrupted": False, "lost": "",
}  # fmt: skip
COMPARE = {"targets": ["skew"], "strategies": ["classic", "learning"], "seeds": 2, "most": 1000}
EFFORT = {"target": "skew", "strategy": "classic", "setting": "", "seed": 1, "effort": {"transactions": 40}}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("served") / "runs"
    root.mkdir()
    with third_plugin(root.parent / "site"):
        judged(root, "dirty", SKEW, FORK, SKEW, ABORTED)
        campaign(root, "clean")
    for name, file, data in (
        ("holes", "hunt.json", HUNT), ("bank", "check.json", CHECK), ("race", "compare.json", COMPARE)
    ):  # fmt: skip
        (root / name).mkdir()
        (root / name / file).write_text(json.dumps(data))
    (root / "bank" / "check.html").write_text(
        "<!doctype html><html><head></head><body><p>All safe</p></body></html>"
    )
    (root / "race" / "runs.jsonl").write_text(json.dumps(EFFORT) + "\n")
    (root / "notes").mkdir()
    (root / "notes" / "private.txt").write_text("not of a run")
    yield root
    shutil.rmtree(root)


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


@pytest.fixture(scope="session")
def browse(made: Path) -> TestClient:
    return client(made)


def client(root: Path, name: str = "localhost") -> TestClient:
    return TestClient(application(root), base_url=f"http://{name}", follow_redirects=False)
