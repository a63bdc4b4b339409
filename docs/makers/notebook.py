"""The outputs of docs/notebooks/library.ipynb: its cells, run in order in a fresh kernel.

    python docs/makers/notebook.py --write docs/notebooks/library.ipynb

What the cells say stands in the notebook itself. Needs what `make site` installs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 300  # for one cell


def run(path: Path) -> str:
    """The notebook with the outputs of its cells; raises nbclient's CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as directory:  # where the cells write, and what no output names
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": directory}},
        )
        client.execute()
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    text = nbformat.writes(notebook)
    assert isinstance(text, str)
    return text.rstrip("\n") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="NOTEBOOK")
    path = parser.parse_args().write
    path.write_text(run(path), encoding="utf-8")


if __name__ == "__main__":
    main()
