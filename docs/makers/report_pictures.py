"""The pictures of docs/how-to/report.md: a campaign, its page, and headless Chromium.

python docs/makers/report_pictures.py --write docs/pictures
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from txfuzz import run_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.concurrent_transactions import with_neighbours
from txfuzz.report.html.page import report_page

COLOURS = 128
DARK = ("--blink-settings=preferredColorScheme=0", "--force-dark-mode")
FRAME = """<body style="margin:0">
<iframe src="page.html{anchor}" style="border:0;width:{width}px;height:{height}px">"""


def chromium() -> str:
    """The browser; the program ends without one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or sys.exit("the pictures of the pages need Chromium, which is not installed")


def shoot(browser: str, url: str, picture: Path, size: tuple[int, int], profile: Path, *flags: str) -> None:
    """What the page shows in so many CSS pixels, in few colours. profile: a directory for the browser."""
    width, height = size
    subprocess.run(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--disable-dev-shm-usage", f"--user-data-dir={profile}",
         f"--window-size={max(width, 500)},{height}", f"--screenshot={picture}", *flags, url],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    shown = Image.open(picture).convert("RGB").crop((0, 0, width, height))
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def shoot_framed(
    browser: str, page: Path, anchor: str, picture: Path, size: tuple[int, int], dark: bool
) -> None:
    """The page in a frame, because no window is as narrow as a phone."""
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(anchor=anchor, width=size[0], height=size[1]))
    look = DARK if dark else ()
    profile = page.parent / "profile"
    shoot(browser, frame.as_uri(), picture, size, profile, "--virtual-time-budget=3000", *look)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, required=True, metavar="DIR")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    browser = chromium()
    with tempfile.TemporaryDirectory() as directory:
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
            shoot_framed(browser, page, anchor, given.write / name, size, dark)


if __name__ == "__main__":
    main()
