"""Pictures where nobody may write to the home directory: drawn all the same, and nothing is said about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from report_runs import SKEW, history_text


def test_nothing_is_said_about_caches(tmp_path: Path) -> None:
    (tmp_path / "h.edn").write_text(history_text(SKEW))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG"))}
    done = subprocess.run(
        [sys.executable, "-m", "txfuzz", "analyze", "h.edn"],
        cwd=tmp_path,
        env={**kept, "HOME": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert list(tmp_path.rglob("minimal_dependency_graph.png"))
