"""The notebook: its cells run, in order, and its outputs come from a run without an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from pages import DOCS
from txfuzz import Verdict

pytest.importorskip("txfuzz_sqlite")

PATH = DOCS / "notebooks" / "library.ipynb"
CELLS: list[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def test_it_was_executed_from_the_first_cell_to_the_last() -> None:
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    outputs = [output for cell in CODE for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    shown = {kind for output in outputs for kind in output.get("data", ())}
    assert {"text/html", "image/png"} <= shown
    assert "/tmp/" not in json.dumps(outputs)


def test_its_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    matplotlib.use("Agg")
    names: dict[str, Any] = {}
    for number, cell in enumerate(CODE, 1):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    assert names["campaign"].verdict is Verdict.INVALID
    assert "G-single-item" in names["campaign"].found
    assert names["safe"].verdict is Verdict.VALID
    assert {kind for *_, kind in names["anomaly"].to_networkx().edges(data="kind")} <= {"ww", "wr", "rw"}
    assert names["sizes"][0] > 1
    assert len(names["axes"].patches) == names["anomaly"].to_networkx().number_of_edges()
