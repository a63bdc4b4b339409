"""The output in docs/tutorial/check.md: its commands, run in order, on its files, on an embedded server."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "check.md"
_FILE = re.compile(r"`(\w+\.yaml)`[^`]*\n\n```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(r"^```console\n\$ (txfuzz check .*?)\n.*?^```$", re.DOTALL | re.MULTILINE)


def renewed(page: str) -> str:
    """The page with the output that its commands have now."""
    with tempfile.TemporaryDirectory() as place:
        for name, body in _FILE.findall(page):
            (Path(place) / name).write_text(body, encoding="utf-8")

        def run(found: re.Match[str]) -> str:
            words = found[1].split()[1:]
            environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
            ran = subprocess.run(
                [sys.executable, "-m", "txfuzz", *words],
                cwd=place, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            return f"```console\n$ {found[1]}\n{ran.stdout}{ran.stderr}```"

        return _CONSOLE.sub(run, page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, default=PAGE)
    path = parser.parse_args().write
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
