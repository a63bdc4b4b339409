"""A hunt as one page: what was found, how much was looked at, and what could not be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txfuzz.common.sentences import listed
from txfuzz.common.version import __version__
from txfuzz.hunt.result import FoundHole, HuntResult
from txfuzz.report.check.picture import SCHEDULE_CSS, schedule_part
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.shell import html_page
from txfuzz.report.hunt.text import counts_text, ending, notes
from txfuzz.report.verdict import TONES

_MOST = 24  # holes in full
_MOST_LOG = 40  # lines
CSS = (
    SCHEDULE_CSS
    + """
.schedule { min-width: 520px; }
.hole h3 .badge { --tone: var(--bad); margin-right: 8px; } .hole.known h3 .badge { --tone: var(--good); }
.log { background: var(--soft); border-radius: 8px; padding: 10px 14px;
  overflow-x: auto; white-space: pre-wrap; }
.files { font-size: 13.5px; } .files a { color: var(--accent); margin-right: 14px; }
"""
)


def hunt_page(
    server: str,
    levels: Sequence[str],
    result: HuntResult,
    excepted: tuple[str, ...],
    files: dict[str, tuple[str, ...]],
) -> str:
    """files: of each hole's folder, as links beside the page, by the hole's name and level."""
    counts = result.counts
    tiles = [
        ("schedules", f"{counts.schedules:,}", f"of {counts.programs:,} programs"),
        ("committed in full", f"{counts.committed:,}", f"{counts.aborted:,} not"),
        ("somebody waited", f"{counts.waited:,}", None),
        holes_tile(result.holes),
        ("could not be judged", f"{counts.unknown:,}", "reasons below" if result.reasons else None),
    ]
    if counts.covered:
        tiles.insert(3, ("covered", f"{counts.covered:,}", "different meetings of statements"))
    body = page_body(
        "txfuzz hunt",
        server,
        f"At {listed([level.upper() for level in levels])}: {counts_text(counts)}.",
        tone_of(result.holes, judged=counts.schedules > counts.unknown),
        ending(result.holes),
        [*notes(result, excepted)],
        tiles,
        [hole_part(hole, files.get(hole.sign, ())) for hole in in_order(result.holes)[:_MOST]],
        result.reasons.items(),
        result.left_out,
    )
    return html_page(f"txfuzz hunt: {server}", body, CSS)


def in_order(holes: Iterable[FoundHole]) -> list[FoundHole]:
    """What is not known first."""
    return sorted(holes, key=lambda each: bool(each.known))


def holes_tile(holes: Sequence[FoundHole]) -> tuple[str, str, str | None]:
    known = sum(bool(each.known) for each in holes)
    note = "all of them known" if known == len(holes) else f"{known:,} of them known"
    return "holes", f"{len(holes):,}", note if known else None


def _see(hole: FoundHole) -> Content:
    where: Content = hole.reference
    if hole.reference.startswith("https://"):
        where = el("a", hole.reference, href=hole.reference)
    return ["See ", el("code", f"txfuzz explain {hole.known}"), " and ", where, "."]


def tone_of(holes: Sequence[FoundHole], *, judged: bool) -> tuple[str, str]:
    """The class of the verdict, and its badge."""
    if any(not each.known for each in holes):
        return "broken", TONES["broken"]
    if holes:
        return "allowed", TONES["known"]
    how = "valid" if judged else "unknown"
    return how, TONES[how]


def page_body(
    kicker: str,
    title: str,
    about: str,
    tone: tuple[str, str],
    headline: str,
    remarks: Sequence[str],
    tiles: Sequence[tuple[str, str, str | None]],
    holes: Sequence[Markup],
    reasons: Iterable[tuple[str, int]],
    left_out: Sequence[str] = (),
) -> Content:
    how, badge = tone
    return [
        el(
            "header",
            el("p", kicker, class_="kicker"),
            el("h1", cut(title, 80)),
            el("p", about, class_="quiet"),
            el("div", el("span", badge, class_="badge"), el("p", headline), class_=f"verdict {how}"),
            [el("p", remark, class_="remark") for remark in remarks],
            el(
                "dl",
                [
                    el(
                        "div",
                        el("dt", name),
                        el("dd", value),
                        el("dd", note, class_="quiet") if note else None,
                    )
                    for name, value, note in tiles
                ],
                class_="tiles",
            ),
        ),
        el(
            "main",
            el("section", el("h2", "What was found"), holes) if holes else None,
            _listed("What could not be judged", [f"{n:,} × {reason}" for reason, n in reasons]),
            _listed("Forms that were left out", list(left_out)),
        ),
        el("footer", f"Written by txfuzz {__version__}."),
    ]


def hole_part(hole: FoundHole, files: Sequence[str], more: Content = None, again: str = "") -> Markup:
    """more: what is to be shown below the schedule. again: how often it was shown, unless by its numbers."""
    labels = tuple(sorted({step.transaction for step in hole.steps}))
    times = "once" if hole.hits == 1 else f"{hole.hits:,} times"
    shown = again or (
        f"Seen {times}, first by schedule {hole.first:,}; "
        f"the shrunk one again {hole.shown} of {hole.tries} times."
    )
    what = f"{hole.isolation.upper()}: {hole.wrong.value}."
    made_of = f"Forms {listed(hole.forms)}; layout {hole.layout}."
    return el(
        "article",
        el(
            "h3",
            el("span", "known" if hole.known else "not known", class_="badge"),
            cut(hole.name, 120),
        ),
        el("p", f"{what} {made_of} {shown}", class_="quiet"),
        el("p", hole.about, " ", _see(hole)) if hole.known else None,
        schedule_part(hole.steps, labels) if hole.steps else None,
        [el("p", sentence) for sentence in hole.why],
        more,
        _log(hole),
        el("p", [el("a", name.rsplit("/", 1)[-1], href=name) for name in files], class_="files")
        if files
        else None,
        class_="hole known" if hole.known else "hole",
    )  # fmt: skip


def _log(hole: FoundHole) -> Content:
    if not hole.log:
        return None
    return el(
        "details",
        el("summary", "The server's log"),
        el("pre", "\n".join(hole.log[-_MOST_LOG:]), class_="log"),
    )


def _listed(title: str, sentences: Sequence[str]) -> Content:
    if not sentences:
        return None
    shown = [el("li", cut(each, 400)) for each in sentences[:40]]
    return el("section", el("h2", title), el("ul", shown))
