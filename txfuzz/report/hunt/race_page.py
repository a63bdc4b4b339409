"""A hunt by races as one page, with the rounds and what went wrong by offset as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from txfuzz.common.sentences import listed
from txfuzz.hunt.race.result import OffsetCount, RacedHole, RaceResult
from txfuzz.report.html.markup import Content, Markup, el
from txfuzz.report.html.shell import html_page
from txfuzz.report.hunt.page import CSS, hole_part, holes_tile, page_body, tone_of
from txfuzz.report.hunt.race import again_text, race_counts_text, race_notes
from txfuzz.report.hunt.text import ending

_CSS = """
.offsets { display: block; max-width: 100%; height: auto; margin: 10px 0; }
.offsets text { font: 11px var(--mono); fill: var(--quiet); } .offsets text.name { fill: var(--ink); }
.offsets .rounds { fill: var(--line); } .offsets .hits { fill: var(--bad); }
.offsets .zero { stroke: var(--quiet); stroke-dasharray: 3 3; }
"""
_BAR, _LEFT, _HEIGHT, _GAP = 22.0, 60.0, 70.0, 34.0  # pixels


def race_page(
    server: str,
    levels: Sequence[str],
    result: RaceResult,
    load: int,
    excepted: tuple[str, ...],
    files: dict[str, tuple[str, ...]],
) -> str:
    """As hunt_page(). load: processes beside the clients."""
    counts, found = result.counts, [each.hole for each in result.holes]
    tiles = [
        ("rounds", f"{counts.rounds:,}", f"of {counts.races:,} races"),
        ("committed in full", f"{counts.committed:,}", None),
        ("different outcomes", f"{counts.outcomes:,}", None),
        holes_tile(found),
        ("control", f"{counts.control_hits:,}", f"of {counts.control_rounds:,} rounds far apart went wrong"),
    ]
    holes = sorted(result.holes, key=lambda each: bool(each.hole.known))
    body = page_body(
        "txfuzz hunt --race",
        server,
        f"At {listed([level.upper() for level in levels])}: {race_counts_text(counts)}.",
        tone_of(found, judged=counts.rounds > counts.unknown),
        ending(found),
        [*race_notes(result, load, excepted)],
        tiles,
        [_hole(each, files.get(each.hole.sign, ())) for each in holes],
        result.reasons.items(),
    )
    return html_page(f"txfuzz hunt --race: {server}", body, CSS + _CSS)


def _hole(found: RacedHole, files: Sequence[str]) -> Markup:
    more: list[Content] = [
        el("p", f"Let go at the same time, {found.placed}:"),
        el("ul", [el("li", el("code", point)) for point in found.points]),
        offsets_picture(found.offsets) if found.offsets else None,
    ]
    again = again_text(found)
    return hole_part(found.hole, files, more, f"{again[:1].upper()}{again[1:]}.")


def offsets_picture(offsets: Sequence[OffsetCount]) -> Markup:
    """An SVG: for each transaction a bar of rounds for each bucket, and on it one of those that went wrong,
    each as high as its share of the most there are."""
    labels = list(dict.fromkeys(each.transaction for each in offsets))
    most = max(len([each for each in offsets if each.transaction == label]) for label in labels)
    width, height = _LEFT + _BAR * most + 10, (_HEIGHT + _GAP) * len(labels)
    hits = sum(each.hits for each in offsets if each.transaction == labels[0])
    behind = listed(list(dict.fromkeys(f"{each.transaction} behind {each.behind}" for each in offsets)))
    return el(
        "div",
        el(
            "svg",
            [list(_bars(offsets, label, (_HEIGHT + _GAP) * at)) for at, label in enumerate(labels)],
            viewBox=f"0 0 {width:.0f} {height:.0f}",
            width=width,
            height=height,
            role="img",
            aria_label=f"rounds by offset; {hits:,} of them went wrong",
            class_="offsets",
        ),
        el(
            "p",
            f"Rounds by offset in microseconds ({behind}); in red, those that went wrong.",
            class_="quiet",
        ),
        class_="scroll",
        tabindex="0",
    )


def _bars(offsets: Sequence[OffsetCount], label: str, top: float) -> Iterator[Content]:
    own = [each for each in offsets if each.transaction == label]
    rounds, hits = max(each.rounds for each in own), max(each.hits for each in own)
    base = top + _HEIGHT
    yield el("text", label, x=0.0, y=base - 4, class_="name")
    for at, each in enumerate(own):
        x = _LEFT + _BAR * at
        full = (_HEIGHT - 12) * each.rounds / max(rounds, 1)
        bad = (_HEIGHT - 12) * each.hits / max(hits, 1)
        yield el(
            "g",
            el("title", f"{each.offset}: {each.hits:,} of {each.rounds:,} rounds went wrong"),
            el("rect", x=x, y=base - full, width=_BAR - 3, height=full, class_="rounds"),
            el("rect", x=x + 6, y=base - bad, width=_BAR - 15, height=bad, class_="hits") if bad else None,
            el("text", f"{each.hits}", x=x + 3, y=base - bad - 3) if each.hits else None,
        )
        if at % 4 == 0:
            yield el("text", each.offset.split(" ")[0], x=x, y=base + 14)
