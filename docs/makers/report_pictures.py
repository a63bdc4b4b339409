"""The pictures of docs/how-to/report.md: a campaign, its page, and headless Chromium.

python docs/makers/report_pictures.py --write docs/pictures
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from txfuzz import run_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.concurrent_transactions import with_neighbours
from txfuzz.report.html.page import report_page

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from chromium import BROWSER, Tab, opened_tab

COLOURS = 128


@contextmanager
def camera() -> Iterator[Tab]:
    """The browser; the program ends without one."""
    if BROWSER is None:
        sys.exit("the pictures of the pages need Chromium, which is not installed")
    with tempfile.TemporaryDirectory() as profile, opened_tab(Path(profile)) as tab:
        yield tab


def shoot(tab: Tab, url: str, picture: Path, size: tuple[int, int], *, dark: bool = False) -> None:
    """What the page shows in so many CSS pixels, in few colours."""
    tab.open(url, width=size[0], height=size[1], dark=dark)
    # Fonts and what scripts add. A live page never comes to rest
    tab.run("document.fonts.ready.then(() => new Promise((ready) => setTimeout(() => ready(1), 1500)))")
    tab.picture(picture)
    shown = Image.open(picture).convert("RGB")
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, required=True, metavar="DIR")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    with camera() as tab, tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        run_campaign(iterations=6, seed=given.seed, output=place / "demo")
        record = with_neighbours(read_run(place / "demo"), 3)
        page = place / "page.html"
        page.write_text(report_page(record).replace(f"{place}/", "runs/"), encoding="utf-8")
        given.write.mkdir(exist_ok=True)
        for name, anchor, size, dark in (
            ("report.png", "", (1040, 1240), False),
            ("report-dark.png", "", (1040, 700), True),
            ("report-course.png", "#iterations", (1040, 900), False),
            ("report-phone.png", "#findings", (390, 900), True),
        ):
            shoot(tab, page.as_uri() + anchor, given.write / name, size, dark=dark)


if __name__ == "__main__":
    main()
