"""A check as a page: whole, without anything fetched, and with everything escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from chromium import BROWSER, opened_tab
from double_booking import checked
from txfuzz.check.story import StoryLine
from txfuzz.report.check.page import check_page, tone
from txfuzz.report.check.picture import SCHEDULE_CSS, lanes, schedule_part
from txfuzz.report.html.shell import html_page


def test_the_page_holds_table_picture_and_story() -> None:
    page = check_page(checked())
    for text in ("12 of 14", "fix: ", "lane", "book (ann) saw booked_by NULL", "not safe"):
        assert text in page
    assert page.count("<script>") == page.count("<script") == 1  # its own, nothing of elsewhere
    assert not re.search(r"<link\b|url\((?!#)|@import|https?://", page)


def test_names_are_text() -> None:
    found = checked()
    page = check_page(replace(found, name="<b>seats</b>", sets=(replace(found.sets[0], name="<i>x"),)))
    assert "<b>seats" not in page
    assert "<i>x" not in page


def test_the_tone_is_that_of_the_verdict() -> None:
    assert tone(checked()) == "allowed"
    assert tone(checked(promised=True)) == "broken"
    assert tone(checked(asked=("serializable",))) == "valid"


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1200, 420])
def test_long_statements_wrap_so_that_each_transaction_has_the_same_room(tmp_path: Path, width: int) -> None:
    labels = ("pay (1, 80)", "pay (1, 30)")
    sql = (
        f"SELECT {', '.join(f'accounts.column_{n} AS accounts_column_{n}' for n in range(20))} FROM accounts"
    )
    lines = [StoryLine(labels[0], sql, "no row"), StoryLine(labels[1], "COMMIT", "committed")]
    page = tmp_path / "page.html"
    page.write_text(html_page("a check", schedule_part(lines, labels), SCHEDULE_CSS))
    with opened_tab(tmp_path / "profile") as tab:
        tab.open(page.as_uri(), width=width)
        found = tab.run("[...document.querySelectorAll('.schedule th + th')].map(each => each.offsetWidth)")
        right = tab.run("document.querySelector('.schedule').getBoundingClientRect().right")
    assert abs(found[0] - found[1]) <= 1
    assert right <= width


def test_the_names_of_arguments_have_room_beside_the_lanes() -> None:
    labels = tuple(f"transfer (account=2, amount={amount})" for amount in (60, 30))
    page = str(lanes([StoryLine(label, "COMMIT", "committed") for label in labels], labels))
    assert all(f">{label}<" in page for label in labels)
    lefts = [float(each) for each in re.findall(r'<line x1="([\d.]+)"', page)]
    assert min(lefts) > 7 * len(labels[0])
