"""The pages in a browser: Chromium without a window, where it is installed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from chromium import BROWSER, Tab, opened_tab
from report_runs import FORK, judged, third_plugin
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.html.page import report_page
from txfuzz.serve.application import application

from .test_live import Running, end, fault, invoke

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

# What sticks out of the page to the right
WIDE = """[...document.querySelectorAll("body *")].filter(each =>
  !each.closest(".scroll, pre, .tips, .runs, .contents, .skip")
  && each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.tagName + "." + each.className).slice(0, 5)"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with opened_tab(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def url(runs: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            application(runs), log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(
    "page", ["/", "/run/dirty/", "/run/clean/", "/live/dirty/", "/files/dirty/", "/nowhere"]
)
def test_pages_fit_a_phone_and_nothing_is_blocked(tab: Tab, url: str, page: str) -> None:
    tab.complaints.clear()
    tab.open(url + page, width=390, height=844)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    assert tab.run(WIDE) == []
    assert [each for each in tab.complaints if page != "/nowhere" or "404" not in each] == []


@pytest.mark.parametrize("page", ["/", "/run/dirty/", "/live/dirty/"])
def test_pages_are_dark_where_it_is_wanted(tab: Tab, url: str, page: str) -> None:
    def brightness(selector: str, name: str) -> float:
        colour = tab.run(f"getComputedStyle(document.querySelector('{selector}')).{name}")
        parts = [float(each) for each in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        return sum(parts) / 3

    for dark in (False, True):
        tab.open(url + page, dark=dark)
        ground, ink = brightness("body", "backgroundColor"), brightness("h1", "color")
        assert (ground < 60) is dark
        assert abs(ground - ink) > 120


def test_the_list_is_filtered_by_keyboard(tab: Tab, url: str) -> None:
    tab.open(f"{url}/")
    for _ in range(20):
        tab.press("Tab")
        if tab.run("document.activeElement.name === 'text'"):
            break
    tab.ask("Input.insertText", text="gone")
    tab.press("Enter")
    tab.wait("location.search.includes('text=gone') && document.readyState === 'complete'")
    assert tab.run("[...document.querySelectorAll('tbody th a')].map(each => each.textContent)") == ["holes"]


def test_details_of_an_operation_by_keyboard(tab: Tab, url: str) -> None:
    tab.open(f"{url}/run/dirty/")
    tab.run("document.querySelector('#finding-2 .cycle [data-tip]').focus()")
    shown = tab.wait("(tip => !tip.hidden && tip.textContent)(document.querySelector('.tooltip'))")
    assert shown == tab.run("document.activeElement.getAttribute('aria-label')")
    tab.press("Tab")
    assert tab.run("document.querySelector('.tooltip').textContent") != shown
    tab.press("Escape")
    assert tab.run("document.querySelector('.tooltip').hidden")


def test_a_command_is_copied(tab: Tab, url: str) -> None:
    tab.open(f"{url}/run/dirty/")
    tab.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    command = tab.run("document.querySelector('.copied code').textContent")
    assert command.startswith("txfuzz ")
    tab.run("document.querySelector('.copied button').focus()")
    tab.press("Enter")
    tab.wait("document.querySelector('.copied button').textContent === 'Copied'")
    assert tab.run("navigator.clipboard.readText()") == command


def test_a_running_campaign_is_followed(tab: Tab, url: str, runs: Path) -> None:
    running = Running(runs / "dirty")
    try:
        tab.complaints.clear()
        tab.open(f"{url}/live/dirty/")
        tab.wait("document.getElementById('status').textContent === 'Live.'")
        running.write(*(line for at in range(40) for line in (invoke(at, at / 20), end(at, at / 20 + 0.01))))
        running.write(fault(0.5, "begins"), fault(0.9, "healed"))
        tab.wait("document.getElementById('now').textContent.includes('40 transactions so far')")
        assert tab.run("document.querySelectorAll('#now rect.fault').length") == 2
        running.next_iteration()
        tab.wait("document.getElementById('findings').textContent.includes('Findings (2)')")
    finally:
        running.stop()
    tab.wait("document.getElementById('status').textContent === 'It has ended.'")
    assert tab.complaints == []


def test_the_report_as_a_file(tab: Tab, tmp_path: Path) -> None:
    """Its script runs although nothing else may, and its lanes are as wide as the page."""
    with third_plugin(tmp_path / "site"):
        run = judged(tmp_path, "run", FORK)
    page = tmp_path / "page.html"
    page.write_text(report_page(read_run(run)))
    tab.complaints.clear()
    tab.open(page.as_uri())
    assert tab.run("!document.querySelector('button.copy').hidden")
    assert tab.complaints == []
    tab.run("document.querySelector('.contents a[href=\"#iterations\"]').click()")
    assert tab.run("location.hash") == "#iterations"
