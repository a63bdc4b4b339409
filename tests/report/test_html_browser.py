"""The page in a browser: Chromium without a window, where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from report_runs import FORK, judged, third_plugin
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.html.page import report_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

# Frames the page at the width of a phone and says what sticks out of it
FRAME = """<!doctype html><body><iframe id="page" style="width:{width}px;height:800px;border:0"></iframe>
<script>
const frame = document.getElementById("page");
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement;
  const boxed = element => element.closest(".scroll, pre, .tips") !== null;
  const wide = [...page.querySelectorAll("body *")]
    .filter(element => !boxed(element) && element.getBoundingClientRect().right > {width} + 1)
    .map(element => element.tagName + "." + element.getAttribute("class"));
  const small = [...page.querySelectorAll("svg.cycle")]
    .filter(each => each.getBoundingClientRect().height < 60);
  document.title = JSON.stringify([root.scrollWidth, wide.slice(0, 5), small.length,
    page.querySelectorAll("svg").length]);
}};
frame.src = "page.html";
</script>"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shown")
    with third_plugin(root / "site"):
        run = judged(root, "run", FORK)
    (root / "page.html").write_text(report_page(read_run(run)))
    return root


def chromium(root: Path, *arguments: str) -> str:
    assert BROWSER is not None
    ran = subprocess.run(
        [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
         "--disable-dev-shm-usage", "--allow-file-access-from-files", "--virtual-time-budget=3000",
         f"--user-data-dir={root / 'profile'}", *arguments],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return ran.stdout


def test_nothing_sticks_out_on_a_phone(shown: Path) -> None:
    width = 390
    (shown / "frame.html").write_text(FRAME.format(width=width))
    told = chromium(shown, "--window-size=1200,900", "--dump-dom", (shown / "frame.html").as_uri())
    title = told.split("<title>")[1].split("</title>")[0]
    measured, wide, small, drawings = json.loads(title.replace("&quot;", '"'))
    assert measured <= width
    assert wide == []
    assert small == 0
    assert drawings >= 6


def test_light_and_dark(shown: Path) -> None:
    from matplotlib.image import imread

    def corner(name: str, *arguments: str) -> float:
        picture = shown / name
        chromium(
            shown,
            "--window-size=600,600",
            f"--screenshot={picture}",
            *arguments,
            (shown / "page.html").as_uri(),
        )
        return float(imread(picture)[4, 4, :3].mean())

    assert corner("light.png") > 0.9
    assert corner("dark.png", "--blink-settings=preferredColorScheme=0", "--force-dark-mode") < 0.2
