"""The pages of the docs as data: their code blocks, the files that they name, the output that they show."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted(ROOT.glob("plugins/*/*.md")),
    ROOT / "tests" / "histories" / "agreement" / "README.md",
]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`([\w-]+\.[\w.]+)`")
_NUMBER = re.compile(r"\d[\d,.]*")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return FENCE.sub("", text(page))


def section(page: Path, title: str) -> str:
    """From this heading to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text(page), re.DOTALL | re.MULTILINE)
    assert found, f"{page.name} has no section {title!r}"
    return found[1]


def first_column(markdown: str) -> list[str]:
    """The first cells of all tables, without headers and separators."""
    rows = re.findall(r"^\| (.*?) \|", markdown, re.MULTILINE)
    return [row for row in rows if row not in ("field", "code", "target", "hook")]


def fields(page: Path, title: str) -> set[str]:
    """Those that the tables of this section name."""
    return {row.strip("`") for row in first_column(section(page, title))}


def script_of_replay() -> str:
    """The part of docs/how-to/replay.md whose commands are one script."""
    return (
        text(DOCS / "how-to" / "replay.md").partition("## All of it as a script\n")[2].partition("\n## ")[0]
    )


def maker(name: str) -> ModuleType:
    """The program in docs/makers that makes a page, or a part of one."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "makers" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:  # dataclasses look up their module
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Block:
    """file: the name at the beginning of the preceding paragraph."""

    language: str
    body: str
    file: str | None


def blocks_of(page: Path) -> list[Block]:
    return list(_blocks(text(page)))


def blocks(page: Path, language: str) -> list[str]:
    return [each.body for each in blocks_of(page) if each.language == language]


def _blocks(markdown: str) -> Iterator[Block]:
    for found in FENCE.finditer(markdown):
        paragraph = markdown[: found.start()].rstrip().rsplit("\n\n", 1)[-1]
        named = _NAMED.match(paragraph)
        yield Block(found[2], found[3], named[1] if named else None)


@dataclass(frozen=True)
class Command:
    """A line after a prompt, and its output according to the page."""

    line: str
    shown: str

    def pattern(self) -> re.Pattern[str]:
        """Numbers match any numbers, … matches anything, and lines may break elsewhere."""
        parts = []
        for word in re.split(r"(…|\s+)", self.shown.strip()):
            if word == "…":
                parts.append(r".*?")
            elif not word.strip():
                parts.append(r"\s+" if word else "")
            else:
                known = [re.escape(each) for each in _NUMBER.split(word)]
                parts.append(r"\d[\d,.]*".join(known))
        return re.compile("".join(parts).replace(r"\s+.*?\s+", r"\s.*?"), re.DOTALL)


def commands(console: str) -> list[Command]:
    """The commands of a console block, each behind `$ `."""
    return [
        Command(line.strip(), shown)
        for line, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.M)
    ]
