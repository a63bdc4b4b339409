"""The pages of `txfuzz explain` as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from txfuzz.analysis.checker.anomaly_types import anomaly_type, known_types
from txfuzz.analysis.checker.consistency import canonical, model_text
from txfuzz.analysis.explain.guide.entries import (
    AllowingLevel,
    AnomalyPage,
    DatabaseLevels,
    ModelPage,
    Page,
    TermPage,
    known_models,
    known_terms,
    page_of,
)
from txfuzz.analysis.result import as_data
from txfuzz.common.sentences import listed
from txfuzz.report.text.lines import paragraph

_INDENT = 2
_ORDERED = ("-process", "-realtime")


def names_text(holes: Sequence[str] = ()) -> str:
    """All names that can be explained. holes: the names of known ones."""
    plain = [name for name in known_types() if not name.endswith(_ORDERED)]
    first = max(map(len, plain)) + 2
    lines = ["Anomalies, by the names that txfuzz prints:", ""]
    for name in plain:
        entry = anomaly_type(name)
        lines += paragraph(f"{name:<{first}}{entry.name}: {_short(entry.meaning)}", _INDENT, first)
    orders = (
        "Cycles can also end with -process or -realtime, where the order of a client's transactions or real "
        "time counts as well, and MODEL-cycle-exists is a cycle of which no more is known."
    )
    lines += ["", *paragraph(orders)]
    lines += ["", "Consistency models:", "", *paragraph(", ".join(known_models()), _INDENT)]
    words = ", ".join(each.upper() if each in ("otv", "pmp") else each for each in known_terms())
    lines += ["", "Other words of tables and sentences:", "", *paragraph(words, _INDENT)]
    if holes:
        lines += ["", "Known holes, of which a hunt says so:", "", *paragraph(", ".join(holes), _INDENT)]
    lines += ["", *paragraph("Plain names are understood as well: `txfuzz explain write skew`.")]
    return "\n".join(lines)


def page_title(page: Page) -> str:
    if isinstance(page, AnomalyPage):
        return f"{page.name} ({page.type})"
    if isinstance(page, TermPage):
        return f"{page.name[:1].upper()}{page.name[1:]}" if len(page.term) > 2 else page.name
    return f"{model_text(page.name)}, a consistency model"


def page_lines(page: Page, databases: Sequence[DatabaseLevels]) -> list[str]:
    """The page without its title."""
    if isinstance(page, TermPage):
        return list(_term(page))
    lines = _anomaly(page, databases) if isinstance(page, AnomalyPage) else _model(page, databases)
    return list(lines)


def page_data(page: Page, databases: Sequence[DatabaseLevels]) -> dict[str, Any]:
    """The page as JSON data."""
    data = asdict(page)
    if isinstance(page, AnomalyPage):
        allowing = [(each, each.allowing(page.type)) for each in databases]
        return {**data, "not_ruled_out_at": {each.name: as_data(levels) for each, levels in allowing}}
    if isinstance(page, TermPage):
        return data
    providing = [(each, each.providing(page.name)) for each in databases]
    return {**data, "provided_by": {each.name: list(levels) for each, levels in providing if levels}}


def _anomaly(page: AnomalyPage, databases: Sequence[DatabaseLevels]) -> Iterator[str]:
    if page.also:
        yield from paragraph(f"also: {', '.join(page.also)}", _INDENT, 2)
    yield ""
    yield from paragraph(page.plain)
    yield ""
    yield from (f"    {line}".rstrip() for line in page.picture)
    yield ""
    yield from paragraph(f"In the field's words: {_lower(page.meaning)}")
    yield from _bullets("How to avoid it", page.avoid)
    yield from ("", "Levels that do not rule it out", "")
    yield from _allowing(page.type, databases)
    yield from _bullets("Sources", page.sources)


def _term(page: TermPage) -> Iterator[str]:
    yield ""
    yield from paragraph(page.plain)
    if page.see:
        pictured = isinstance(page_of(page.see), AnomalyPage)
        has = "has a picture, what helps, and who allows it" if pictured else "tells more"
        yield from ("", *paragraph(f"`txfuzz explain {page.see}` {has}."))
    yield from _bullets("Sources", page.sources)


def _allowing(type: str, databases: Sequence[DatabaseLevels]) -> Iterator[str]:
    column = max(len(each.name) for each in databases) + 2
    for each in databases:
        levels = ", ".join(map(_named, each.allowing(type))) or "none"
        yield from paragraph(f"{each.name:<{column}}{levels}", _INDENT, column)


def _named(found: AllowingLevel) -> str:
    """With the model, where that is not what the level is called, and what is to be known of it."""
    model = "" if "-".join(found.level.split()) == found.model else found.model
    told = "; ".join(filter(None, [model, found.note]))
    return " ".join(filter(None, [found.level, found.when, f"({told})" if told else ""]))


def _model(page: ModelPage, databases: Sequence[DatabaseLevels]) -> Iterator[str]:
    if page.also:
        yield from paragraph(f"also: {', '.join(page.also)}", _INDENT, 2)
    if page.about:
        yield from ("", *paragraph(page.about))
    yield ""
    yield from _told("rules out", _types(page.forbids) or "none of the anomalies that txfuzz names")
    yield from _told("allows", _types(page.allows) or "none of the anomalies that txfuzz names")
    yield from _told("next weaker", listed(page.weaker) if page.weaker else "")
    yield from _told("next stronger", listed(page.stronger) if page.stronger else "")
    providing = [(each, each.providing(page.name)) for each in databases]
    provided = "; ".join(f"{each.name} at {listed(levels)}" for each, levels in providing if levels)
    yield from _told("provided by", provided)
    others = [
        f"{each.name} ({model_text(model)})"
        for each in databases
        for level, model in each.levels.items()
        if "-".join(level.split()) == page.name and canonical(model) != canonical(page.name)
    ]
    if others:
        called = page.name.replace("-", " ").upper()
        yield from ("", *paragraph(f"What is called {called} is something else in {listed(others)}."))


def _told(label: str, text: str) -> list[str]:
    return paragraph(f"{label:<15}{text}", _INDENT, 15) if text else []


def _types(types: Sequence[str]) -> str:
    """The types, with those where an order counts as well in a few words: they mostly are the cycles among
    the plain ones, or all there are."""
    plain = [name for name in types if not name.endswith(_ORDERED)]
    also, every, others = [], [], []
    for suffix in _ORDERED:
        cycles = [name.removesuffix(suffix) for name in known_types() if name.endswith(suffix)]
        there = [name for name in cycles if f"{name}{suffix}" in types]
        if there and there == cycles:
            every.append(suffix)
        elif there and there == [name for name in plain if name in cycles]:
            also.append(suffix)
        else:
            others += [f"{name}{suffix}" for name in there]
    among = "" if len(plain) == 1 else "the cycles among them "
    named = ", ".join([*plain, *others, *([f"{among}also with {listed(also)}"] if also else ())])
    every_cycle = f"all cycles with {listed(every)}" if every else ""
    return ("; " if also else ", ").join(filter(None, [named, every_cycle]))


def _bullets(title: str, sentences: Sequence[str]) -> Iterator[str]:
    yield from ("", title, "")
    for sentence in sentences:
        yield from paragraph(f"- {sentence}", _INDENT, 2)


def _lower(text: str) -> str:
    """As the continuation of a sentence; names such as "G1c" stay as they are."""
    return text if text[1:2].isupper() or text[1:2].isdigit() else f"{text[:1].lower()}{text[1:]}"


def _short(meaning: str) -> str:
    """Without the name that it may begin with."""
    return _lower(meaning.split(": ", 1)[-1])
