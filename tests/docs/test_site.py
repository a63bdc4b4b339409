"""The site: every page is in the navigation, links lead to where pages stand, and broken ones are seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pages import DOCS, ROOT, maker

SITE = maker("site")


class Loader(yaml.SafeLoader):
    """mkdocs.yml without what its tags make."""


Loader.add_multi_constructor("!ENV", lambda *_: None)
Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
CONFIGURATION = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)


def test_every_page_is_in_the_navigation_once() -> None:
    def pages(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        below = entry.values() if isinstance(entry, dict) else entry
        assert isinstance(below, (list, type({}.values())))
        return [page for each in below for page in pages(each)]

    assert sorted(pages(CONFIGURATION["nav"])) == sorted([*SITE.pages(), *SITE.notebooks()])


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert CONFIGURATION["theme"]["font"] is False
    assert CONFIGURATION["strict"] is True
    assert "extra_javascript" not in CONFIGURATION


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("../../README.md", "../index.md"),
        ("check.md#explain", "check.md#explain"),
        ("../../plugins/mariadb/README.md#levels", "../plugins/txfuzz-mariadb.md#levels"),
        ("../../CHANGELOG.md", "../project/changelog.md"),
        ("../../examples/seat_booking/broken.yaml", "../examples/seat_booking.md#brokenyaml"),
        ("../../examples", "../how-to/examples.md"),
        ("../pictures/finding.png", "../pictures/finding.png"),
        ("https://jepsen.io", "https://jepsen.io"),
        ("#here", "#here"),
    ],
)
def test_a_link_leads_to_where_its_page_stands(target: str, there: str) -> None:
    made = SITE.relinked(f"[a]({target})\n\n```\n[a]({target})\n```\n", "docs/tutorial/check.md")
    assert made == f"[a]({there})\n\n```\n[a]({target})\n```\n"


@pytest.mark.parametrize("target", ["nowhere.md", "../../pyproject.toml"])
def test_a_link_that_leads_nowhere_on_the_site_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=re.escape(target.rpartition("/")[2])):
        SITE.relinked(f"[a]({target})", "docs/tutorial/check.md")


def test_the_folder_of_pages_has_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SITE, "notebook_page", lambda path: ("![a](a.png)", {"a.png": b"a picture"}))
    SITE.write(tmp_path / "pages")
    for picture in (DOCS / "pictures").iterdir():
        assert (tmp_path / "pages" / "pictures" / picture.name).read_bytes() == picture.read_bytes()
    example = (tmp_path / "pages" / "examples" / "seat_booking.md").read_text()
    broken = (ROOT / "examples" / "seat_booking" / "broken.yaml").read_text()
    assert f"## broken.yaml\n\n`examples/seat_booking/broken.yaml`:\n\n```yaml\n{broken}```" in example
    assert (tmp_path / "pages" / "notebooks" / "library.md").read_text() == "![a](a.png)"
    assert (tmp_path / "pages" / "notebooks" / "a.png").read_bytes() == b"a picture"
    assert not (tmp_path / "pages" / "makers").exists()


def test_the_check_of_a_built_site_sees_what_is_broken(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "index.html").write_text(
        '<link rel="canonical" href="https://elsewhere/"><a href="../" id="top">up</a><a href="#top">a</a>'
        '<a href="https://jepsen.io">a</a>'
    )
    (tmp_path / "index.html").write_text('<a href="good/#top">a</a>')
    assert list(SITE.complaints(tmp_path)) == []
    (tmp_path / "index.html").write_text(
        '<a href="gone/">a</a><a href="good/#gone">a</a><link rel="stylesheet" href="https://fonts/x.css">'
        '<script src="https://cdn/x.js"></script><img src="gone.png">'
    )
    assert sorted(SITE.complaints(tmp_path)) == [
        "index.html links to gone.png",
        "index.html links to gone/",
        "index.html links to good/#gone, which has no such part",
        "index.html loads https://cdn/x.js",
        "index.html loads https://fonts/x.css",
    ]


def test_lists_go_on_where_the_site_reads_them() -> None:
    """Code hosts take two spaces for a further paragraph of an item; the site needs four."""
    for name, markdown in SITE.pages().items():
        prose = SITE.FENCE.sub("", markdown)
        assert not re.findall(r"\n\n {1,3}\S.*", prose), name


def test_read_the_docs_builds_what_make_builds() -> None:
    recipe = re.search(r"^site:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    made = [line.strip().replace("$(BIN)/", "") for line in recipe[1].splitlines()]
    there = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text())["build"]["jobs"]["build"]["html"]
    assert there[: len(made)] == made
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())
    assert "make site" in [step.get("run") for step in workflow["jobs"]["build"]["steps"]]
