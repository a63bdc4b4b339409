"""A hunt by races in words."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import listed
from txfuzz.hunt.race.result import RaceCounts, RacedHole, RaceResult
from txfuzz.report.hunt.known_hole import see
from txfuzz.report.hunt.text import ending, told_here
from txfuzz.report.text.lines import paragraph


def race_text(
    server: str,
    levels: tuple[str, ...],
    result: RaceResult,
    load: int,
    excepted: tuple[str, ...],
    *,
    known: bool = False,
) -> str:
    """load: processes beside the clients. excepted, known: as for hunt_text()."""
    body = race_body(server, levels, result, load, excepted, known=known)
    return f"{body}\n\n{ending([each.hole for each in result.holes])}"


def race_body(
    server: str,
    levels: tuple[str, ...],
    result: RaceResult,
    load: int,
    excepted: tuple[str, ...],
    *,
    known: bool = False,
) -> str:
    """The text without the verdict, which comes last."""
    counts = result.counts
    lines = [
        f"{server} at {listed([level.upper() for level in levels])}: {race_counts_text(counts)}",
        *(line for each in race_notes(result, load, excepted) for line in paragraph(each)),
    ]
    for each in sorted(result.holes, key=lambda each: bool(each.hole.known)):
        lines += ["", *_hole_lines(each, in_full=known or not each.hole.known)]
    return "\n".join(lines)


def race_counts_text(counts: RaceCounts) -> str:
    rate = f" ({counts.rounds / counts.seconds:,.0f} a second)" if counts.seconds else ""
    return (
        f"{counts.rounds:,} rounds of {counts.races:,} races in {counts.seconds:,.0f} s{rate}, "
        f"of which {counts.committed:,} committed in full"
    )


def race_notes(result: RaceResult, load: int, excepted: tuple[str, ...]) -> Iterator[str]:
    """In sentences: how it was run, what was not counted, judged or used."""
    counts = result.counts
    if result.interrupted:
        yield "It was interrupted."
    if load:
        yield f"Beside the clients, {load} {'process' if load == 1 else 'processes'} kept processors busy."
    yield (
        f"Control, with offsets far apart: {counts.control_hits:,} of {counts.control_rounds:,} rounds went "
        "wrong."
    )
    if counts.unknown:
        reason = max(result.reasons, key=lambda each: result.reasons[each])
        yield f"{counts.unknown:,} rounds could not be judged, most often because {reason}"
    if counts.unconfirmed:
        yield (f"{counts.unconfirmed:,} went wrong once, but not again in the same race: not counted.")
    if counts.unusable:
        number = "1 race was" if counts.unusable == 1 else f"{counts.unusable:,} races were"
        yield (
            f"{number} given up: one of the transactions waits for another before the race, or the database "
            "refuses a statement."
        )
    if excepted:
        yield (f"Left out, since the database's documentation excepts them: {listed(excepted)}.")


def _hole_lines(found: RacedHole, *, in_full: bool) -> Iterator[str]:
    hole = found.hole
    kind = f"Known: {hole.known}" if hole.known else "Found"
    times = "once" if hole.hits == 1 else f"{hole.hits:,} times"
    yield from paragraph(
        f"{kind}, at {hole.isolation.upper()}: {hole.wrong.value} (first in round {hole.first:,}, after "
        f"{found.seconds:,.1f} s, {times}; {again_text(found)}; layout {hole.layout})"
    )
    if hole.known:
        yield from paragraph(f"{hole.about} {see(hole.known, hole.reference)}.", indent=2)
    yield from paragraph(f"Let go at the same time, {found.placed}: {listed(found.points)}.", indent=2)
    if in_full:
        yield from ("", *(f"  {line}".rstrip() for line in told_here(hole)), "")
        yield from (f"  {line}" for line in offset_lines(found))


def again_text(found: RacedHole) -> str:
    hole = found.hole
    return (
        f"again in {hole.shown:,} of {hole.tries:,} further rounds, "
        f"with offsets far apart in {found.control:,} of {found.control_rounds:,}"
    )


def offset_lines(found: RacedHole) -> Iterator[str]:
    """The buckets in which it showed, and all others as one line."""
    for label in dict.fromkeys(each.transaction for each in found.offsets):
        own = [each for each in found.offsets if each.transaction == label]
        yield f"{label}, µs behind {own[0].behind}: went wrong"
        for each in own:
            if each.hits:
                yield f"  {each.offset:>12}  {each.hits:>5,} of {each.rounds:>7,} rounds"
        others = sum(each.rounds for each in own if not each.hits)
        yield f"  {'elsewhere':>12}  {0:>5} of {others:>7,} rounds"


def raced_hole_markdown(found: RacedHole, server: str) -> str:
    """story.md of a hole that needs a race."""
    hole = found.hole
    lines = [
        f"# {markdown(hole.name)}",
        "",
        f"{markdown(hole.wrong.value).capitalize()}, on {markdown(server)} "
        f"at {markdown(hole.isolation.upper())}: forms {markdown(listed(hole.forms))}, "
        f"layout {markdown(hole.layout)}.",
        "",
        f"Shown {again_text(found)}. Let go at the same time, {found.placed}:",
        "",
        *(f"- `{each}`" for each in found.points),
        "",
    ]
    if hole.known:
        lines += [f"This is known: {markdown(hole.about)} {see(hole.known, hole.reference)}.", ""]
    lines += ["```text", *hole.story, "", *offset_lines(found), "```", ""]
    lines.append("It depends on microseconds, so no schedule shows it each time; `txfuzz hunt --race` does.")
    return "\n".join(lines) + "\n"
