"""The pages of hunts, checks, matrices and other runs: those that they left, or what their records say."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from txfuzz.campaign.directory.run_records import COMPARISON, HUNT, RunKind
from txfuzz.campaign.directory.runs import RunSummary
from txfuzz.campaign.hunt.artefacts import kept_files, read_hunt
from txfuzz.common.sentences import counted
from txfuzz.compare.record import RUNS
from txfuzz.errors import UsageError
from txfuzz.report.html.markup import Content, cut, el
from txfuzz.report.hunt.page import hunt_page
from txfuzz.serve.archive import regular_files
from txfuzz.serve.pages.frame import bar, framed, own_page
from txfuzz.serve.pages.verdicts import verdict_mark

_PAGES = {
    RunKind.HUNT: "hunt.html",
    RunKind.RACES: "race.html",
    RunKind.CHECK: "check.html",
    RunKind.MATRIX: "matrix.html",
}
_LARGEST = 64 << 20  # bytes of a page
_FILES = 2_000


def other_page(run: RunSummary, address: str) -> str:
    """The page of a run that is no campaign."""
    name = run.path.name
    left = _left_page(run)
    if left is not None:
        return framed(left, bar(address, name))
    if run.kind is RunKind.HUNT:
        try:
            return framed(_hunt_page(run.path), bar(address, name))
        except UsageError:
            pass
    return own_page(f"txfuzz: {name}", _record(run, address), bar(address, name))


def files_page(run: RunSummary, address: str) -> str:
    """Its files, each of them to be looked at."""
    there = []
    for _, name in regular_files(run.path):
        there.append(name)
        if len(there) > _FILES:
            break
    shown = [el("li", el("a", name, href=f"/run/{quote(address)}{quote(name)}")) for name in there[:_FILES]]
    more = "; those beyond are in the zip file" if len(there) > _FILES else ""
    body = el(
        "div",
        el("header", el("p", "txfuzz", class_="kicker"), el("h1", cut(run.path.name, 80)),
           el("p", f"{counted(len(shown), 'file')}{more}.", class_="quiet")),
        el("main", el("ul", shown, class_="files"), id="content"),
        class_="list",
    )  # fmt: skip
    return own_page(f"txfuzz: files of {run.path.name}", body, bar(address, run.path.name, here="files"))


def _left_page(run: RunSummary) -> str | None:
    """The page that the run wrote, unless its record has been written since."""
    if run.kind not in _PAGES:
        return None
    page = run.path / _PAGES[run.kind]
    try:
        found = page.stat()
        stale = run.kind is RunKind.HUNT and found.st_mtime < run.written
        if page.is_symlink() or stale or found.st_size > _LARGEST:
            return None
        return page.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _hunt_page(directory: Path) -> str:
    """Of a hunt that is under way, or that was killed. UsageError if it cannot be read."""
    settings, result = read_hunt(directory)
    server = json.loads((directory / HUNT).read_text(encoding="utf-8")).get("server", "")
    files = {hole.sign: kept_files(directory, hole) for hole in result.holes}
    return hunt_page(str(server), tuple(settings.isolation), result, (), files)


def _record(run: RunSummary, address: str) -> Content:
    """What the record says, for a run without a page."""
    facts = run.facts
    kind = run.kind.value if run.kind else "run"
    rows = {
        "what": facts.subject,
        "database": facts.database,
        "levels": facts.level,
        "state": facts.state,
        "found": ", ".join(facts.names),
    }
    known = [(el("dt", name), el("dd", cut(text, 600))) for name, text in rows.items() if text]
    return [
        el(
            "header",
            el("p", f"txfuzz {kind}", class_="kicker"),
            el("h1", cut(run.path.name, 80)),
            el("p", verdict_mark(run)),
            el("p", f"It cannot be read: {run.unreadable}.", class_="remark") if run.unreadable else None,
        ),
        el(
            "main",
            el("section", el("h2", "What its record says"),
               el("div", el("div", el("dl", known)), class_="facts")) if known else None,
            _comparison(run.path) if run.kind is RunKind.COMPARISON else None,
            el("p", el("a", "All its files", href=f"/files/{quote(address)}")),
            id="content",
        ),
    ]  # fmt: skip


def _comparison(directory: Path) -> Content:
    """A row for each target and strategy: how soon it found something."""
    try:
        most = json.loads((directory / COMPARISON).read_text(encoding="utf-8")).get("most")
        lines = list(_lines(directory / RUNS))
    except (OSError, ValueError):
        return None
    efforts: dict[tuple[str, str], list[int | None]] = {}
    for line in lines:
        effort = line.get("effort")
        needed = effort.get("transactions") if isinstance(effort, Mapping) else None
        ran = efforts.setdefault((str(line.get("target")), str(line.get("strategy"))), [])
        ran.append(needed if isinstance(needed, int) else None)
    rows = []
    for (target, strategy), each in sorted(efforts.items()):
        middle = _median(each)
        told = f"> {most:,}" if middle is None and isinstance(most, int) else f"{middle or 0:,.0f}"
        hits = sum(one is not None for one in each)
        rows.append(
            el("tr", el("th", target), el("td", strategy, class_="words"), el("td", told),
               el("td", f"{hits} of {len(each)}"))
        )  # fmt: skip
    head = [el("th", name) for name in ("target", "strategy", "median until the first finding", "found")]
    table = el("table", el("thead", el("tr", head)), el("tbody", rows))
    return el("section", el("h2", "The runs that are done"), el("div", table, class_="scroll", tabindex="0"))


def _median(efforts: Sequence[int | None]) -> float | None:
    """None if it is beyond the limit, as are efforts that are None."""
    middle = statistics.median(math.inf if each is None else each for each in efforts)
    return None if math.isinf(middle) else middle


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        if isinstance(data, Mapping):
            yield data
