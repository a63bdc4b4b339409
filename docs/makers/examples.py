"""The output of `txfuzz check` in docs/how-to/examples.md, from real runs on PostgreSQL.

python docs/makers/examples.py --write docs/how-to/examples.md
"""

from __future__ import annotations

import argparse
import re
from contextlib import chdir
from pathlib import Path

from txfuzz.campaign.check.check import check_file
from txfuzz.check.finding.result import CheckResult
from txfuzz.report.check.text import check_text

ROOT = Path(__file__).resolve().parents[2]
_SHOWN = re.compile(r"(```console\n\$ txfuzz check (\S+)\n)(.*?)(```)", re.DOTALL)


def renewed(page: str, url: str | None = None) -> str:
    """The page with what its commands print now. url: of a PostgreSQL server; by default the embedded one."""
    return _SHOWN.sub(lambda found: f"{found[1]}{_printed(found[2], url)}\n{found[4]}", page)


def _printed(file: str, url: str | None) -> str:
    with chdir(ROOT):  # Python code is called by its path
        found = check_file(Path(file), adapter="postgres", url=url)
    assert isinstance(found, CheckResult)
    return check_text(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="PAGE")
    page = parser.parse_args().write
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
