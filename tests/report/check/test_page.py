"""A check as a page: whole, without anything fetched, and with everything escaped."""

from __future__ import annotations

import re
from dataclasses import replace

from double_booking import checked
from txfuzz.report.check.page import check_page, tone


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
