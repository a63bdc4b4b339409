"""A failing schedule as text: a column for each transaction, and in words why it is wrong."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from txfuzz.check.finding.result import Finding
from txfuzz.check.story import StoryLine, explanation, story
from txfuzz.common.sanitize import printable
from txfuzz.common.sentences import listed
from txfuzz.report.text.lines import paragraph, width

_MOST_COLUMNS = 3
_GAP = 2
_UNBROKEN = "\x1f"  # stands for a space at which no line is broken
_COMPARISON = re.compile(r"[\w.]+ (?:=|<|>|<=|>=|<>|!=) [\w.']+")


def schedule_lines(finding: Finding) -> list[str]:
    """Who did what and saw what, in order."""
    lines, labels = story(finding.attempt), finding.attempt.program.labels
    return step_lines(lines, labels)


def step_lines(lines: Sequence[StoryLine], labels: Sequence[str]) -> list[str]:
    """A column for each transaction, or a list if there are too many."""
    return _columns(lines, labels) if len(labels) <= _MOST_COLUMNS else _numbered(lines)


def story_lines(finding: Finding) -> list[str]:
    """The schedule, then the explanation and what is to be said of the finding."""
    told = schedule_and_explanation(finding)
    for sentence in remarks(finding):
        told += ["", *paragraph(sentence)]
    return told


def schedule_and_explanation(finding: Finding) -> list[str]:
    told = schedule_lines(finding)
    for sentence in explanation(finding.attempt):
        told += ["", *paragraph(sentence)]
    return told


def remarks(finding: Finding) -> Iterator[str]:
    """What was left out, how sure it is, and who is to blame."""
    if finding.left_out:
        yield f"It goes wrong as well without {listed(finding.left_out)}, left out here."
    again = f"{finding.shown} of {finding.tries}"
    if finding.blames_database:
        yield (
            f"{finding.isolation.upper()} promises that this cannot happen: the database breaks its promise. "
            f"The same schedule showed it again {again} times."
        )
    elif finding.promised:
        yield (
            f"{finding.isolation.upper()} promises that this cannot happen, but the same schedule showed it "
            f"again only {again} times, so the database is not blamed."
        )
    elif finding.shown < finding.tries:
        yield f"The same schedule showed it again {again} times."


def _columns(lines: Sequence[StoryLine], labels: Sequence[str]) -> list[str]:
    most = (width() - 4 - _GAP * (len(labels) - 1)) // len(labels)
    used = {label: max(16, *map(len, _cell_texts(lines, label, labels))) for label in labels}
    widths = {label: min(most, used[label]) for label in labels}

    def row(number: str, label: str, text: str) -> str:
        cells = (f"{text if each == label else '':<{widths[each]}}" for each in labels)
        return f"{number:<3} {'  '.join(cells)}".rstrip()

    shown = []
    for parts in zip_longest(*(_wrapped(each, widths[each], "  ") for each in labels), fillvalue=""):
        cells = (f"{part:<{widths[label]}}" for label, part in zip(labels, parts, strict=True))
        shown.append(f"    {'  '.join(cells)}".rstrip())
    for number, line in enumerate(lines, 1):
        texts = [
            part
            for text, hang in ((line.did, "  "), (came_text(line), "    "))
            if text
            for part in _wrapped(text, widths[line.transaction], hang)
        ]
        shown += [
            row(str(number) if at == 0 else "", line.transaction, text) for at, text in enumerate(texts)
        ]
    return shown


def _cell_texts(lines: Sequence[StoryLine], label: str, labels: Sequence[str]) -> list[str]:
    own = [line for line in lines if line.transaction == label]
    return [label, *(line.did for line in own), *(came_text(line) for line in own)]


def _numbered(lines: Sequence[StoryLine]) -> list[str]:
    shown = []
    for number, line in enumerate(lines, 1):
        shown += paragraph(f"{number:<3} {line.transaction}: {line.did}", hang=6)
        shown += paragraph(came_text(line), indent=6, hang=4)
    return shown


def came_text(line: StoryLine) -> str:
    """What came of it, behind an arrow; empty for nothing."""
    if line.waited:
        waits = f"waits for {listed(line.waited_for)}" if line.waited_for else "waits"
        return f"→ {waits}, then: {line.came}" if line.came else f"→ {waits}"
    return f"→ {line.came}" if line.came else ""


def _wrapped(text: str, width: int, hang: str) -> list[str]:
    whole = _COMPARISON.sub(lambda found: found[0].replace(" ", _UNBROKEN), printable(text))
    lines = textwrap.wrap(
        whole, width, initial_indent=hang[2:], subsequent_indent=hang, break_on_hyphens=False
    )
    return [line.replace(_UNBROKEN, " ") for line in lines]
