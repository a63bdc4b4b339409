"""`txfuzz runs`: what the commands have left in a directory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import parameters
from txfuzz.cli.listing import aligned
from txfuzz.cli.terminal import OF_VERDICT, Style, say_cell

if TYPE_CHECKING:
    from txfuzz.campaign.directory.runs import RunSummary

_SHOWN = 20
_FOUND, _LEVELS = 3, 2  # names in a cell
_HEAD = ("name", "kind", "of", "database", "level", "verdict", "found", "age", "size")
_VERDICT = _HEAD.index("verdict")
_NONE = "–"


@click.command()
@click.argument("directory", type=parameters.FILE, metavar="[DIR]", required=False)
@click.option(
    "--last", type=click.IntRange(min=1), default=_SHOWN, show_default=True, metavar="N",
    help="Only the N newest.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
def runs(directory: Path | None, last: int, everything: bool, as_json: bool) -> None:
    """List the campaigns, hunts, checks, matrices and comparisons in DIR, the newest first.

    DIR is where they went, by default runs/. Only the record of each is read, and its size is that of all
    its files.
    """
    import shlex

    from txfuzz.campaign.directory.run_directory import RUNS
    from txfuzz.campaign.directory.runs import latest_runs
    from txfuzz.common.json_text import json_text
    from txfuzz.common.sentences import counted

    root = directory or RUNS
    found: list[RunSummary] = []
    older = 0
    if directory is not None or root.exists():
        found, older = latest_runs(root, None if everything else last)
    if as_json:
        click.echo(json_text({"runs": [_data(each) for each in found], "older": older}))
        return
    if not found:
        click.echo(f"no runs in {root}/", err=True)
        return
    _print(found)
    if older:
        where = "" if directory is None else f"{shlex.quote(str(directory))} "
        click.echo(f"\n{counted(older, 'older one')}: txfuzz runs {where}--all", err=True)


def _print(found: Sequence[RunSummary]) -> None:
    now = time.time()
    rows = aligned([_HEAD, *(_row(each, now) for each in found)])
    styles = [Style.TITLE, *map(_style, found)]
    for number, (row, style) in enumerate(zip(rows, styles, strict=True)):
        if number == 0:
            say_cell("", "  ".join(row).rstrip(), "", style)
            continue
        before = "".join(f"{cell}  " for cell in row[:_VERDICT])
        say_cell(before, row[_VERDICT], "".join(f"  {cell}" for cell in row[_VERDICT + 1 :]).rstrip(), style)


def _row(run: RunSummary, now: float) -> tuple[str, ...]:
    from rich.filesize import decimal

    from txfuzz.campaign.directory.runs import size_of
    from txfuzz.common.durations import age_in_words
    from txfuzz.common.sanitize import one_line
    from txfuzz.common.sentences import listed

    facts = run.facts
    verdict = run.unreadable or run.verdict_words
    if not run.unreadable and facts.state != "ended":
        verdict = f"{verdict}, {facts.state.partition(':')[0]}"
    cells = (
        run.name,
        run.kind.value if run.kind else _NONE,
        facts.subject,
        facts.database,
        _few(facts.level),
        verdict,
        listed(facts.names, "and", _FOUND) if facts.names else "",
        age_in_words(now - run.written),
        decimal(size_of(run.path)),
    )
    return tuple(one_line(cell) or _NONE for cell in cells)


def _few(levels: str) -> str:
    """Of several, how many."""
    count = len(levels.split(", "))
    return levels if count <= _LEVELS else f"{count} levels"


def _style(run: RunSummary) -> Style | None:
    if run.unreadable or run.verdict is None:
        return None
    if run.facts.broken:
        return Style.BROKEN
    return Style.FOUND if run.facts.known else OF_VERDICT[run.verdict]


def _data(run: RunSummary) -> dict[str, Any]:
    from txfuzz.campaign.directory.runs import size_of

    facts = run.facts
    return {
        "name": run.name,
        "path": str(run.path),
        "kind": run.kind and run.kind.value,
        "subject": facts.subject,
        "database": facts.database,
        "level": facts.level,
        "state": facts.state,
        "verdict": run.verdict and run.verdict.value,
        "broken": facts.broken,
        "found": list(facts.found),
        "known": list(facts.known),
        "written": run.written,
        "size": size_of(run.path),
        "unreadable": run.unreadable or None,
    }
