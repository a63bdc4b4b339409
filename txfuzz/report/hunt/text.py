"""A hunt in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import listed
from txfuzz.common.version import __version__
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult
from txfuzz.report.check.story import step_lines
from txfuzz.report.hunt.known_hole import see
from txfuzz.report.text.lines import WIDTH, paragraph, width, wrapped_at

_MOST_LEFT_OUT = 3


def hunt_text(
    server: str,
    levels: tuple[str, ...],
    result: HuntResult,
    excepted: tuple[str, ...],
    *,
    known: bool = False,
) -> str:
    """excepted: forms that the database's documentation excepts from its promise. known: with the stories of
    holes that are known."""
    return f"{hunt_body(server, levels, result, excepted, known=known)}\n\n{ending(result.holes)}"


def hunt_body(
    server: str,
    levels: tuple[str, ...],
    result: HuntResult,
    excepted: tuple[str, ...],
    *,
    known: bool = False,
) -> str:
    """The text without the verdict, which comes last."""
    lines = [
        f"{server} at {listed([level.upper() for level in levels])}: {counts_text(result.counts)}",
        *(line for each in notes(result, excepted) for line in paragraph(each)),
    ]
    for hole in sorted(result.holes, key=lambda each: bool(each.known)):
        lines += ["", *_hole_lines(hole, in_full=known or not hole.known)]
    return "\n".join(lines)


def known_names(holes: Iterable[FoundHole]) -> list[str]:
    """Of the holes that are known, each name once."""
    return list(dict.fromkeys(hole.known for hole in holes if hole.known))


def ending(holes: Sequence[FoundHole]) -> str:
    """What a hunt came to: how many holes there are, and the names of those that are known."""
    known = sum(bool(hole.known) for hole in holes)
    news, names = len(holes) - known, ", ".join(known_names(holes))
    if news:
        also = f", and {known:,} known: {names}" if known else ""
        return f"{news:,} {'hole that is' if news == 1 else 'holes that are'} not known{also}."
    if known:
        all_of = {1: "", 2: "both "}.get(known, "all ")
        return f"{known:,} {'hole' if known == 1 else 'holes'}, {all_of}known: {names}. Nothing new."
    return "Nothing found."


def counts_text(counts: HuntCounts) -> str:
    rate = f" ({counts.schedules / counts.seconds:,.0f} a second)" if counts.seconds else ""
    return (
        f"{counts.schedules:,} schedules of {counts.programs:,} programs in {counts.seconds:,.0f} s{rate}, "
        f"of which {counts.committed:,} committed in full"
    )


def notes(result: HuntResult, excepted: tuple[str, ...]) -> Iterator[str]:
    """In sentences: what it did not come to, could not judge, or left out."""
    counts = result.counts
    if result.interrupted:
        yield "It was interrupted."
    if result.exhausted:
        yield "The scope holds no further program."
    if counts.unknown:
        reason = max(result.reasons, key=lambda each: result.reasons[each])
        yield f"{counts.unknown:,} could not be judged, most often because {reason}"
    if counts.unexplained:
        yield (
            f"{counts.unexplained:,} are explained by no serial order, which these levels do not promise; "
            "whether they allow these is unknown."
        )
    if result.allowed:
        seen = [f"{number:,} × {name}" for name, number in sorted(result.allowed.items())]
        yield f"Allowed where it was seen: {listed(seen)}."
    if counts.unconfirmed:
        yield f"{counts.unconfirmed:,} went wrong once, but not each time when run again: not counted."
    for sentence in result.lost[:_MOST_LEFT_OUT]:
        yield f"{sentence[0].upper()}{sentence[1:]}."
    if len(result.lost) > _MOST_LEFT_OUT:
        yield f"{len(result.lost) - _MOST_LEFT_OUT:,} more workers were lost and replaced."
    if excepted:
        yield f"Left out, since the database's documentation excepts them: {listed(excepted)}."
    for sentence in result.left_out[:_MOST_LEFT_OUT]:
        yield f"Left out: {sentence}"
    if len(result.left_out) > _MOST_LEFT_OUT:
        yield f"Left out: {len(result.left_out) - _MOST_LEFT_OUT:,} more."


def _hole_lines(hole: FoundHole, *, in_full: bool) -> Iterator[str]:
    kind = f"Known: {hole.known}" if hole.known else "Found"
    times = "once" if hole.hits == 1 else f"{hole.hits:,} times"
    yield from paragraph(
        f"{kind}, at {hole.isolation.upper()}: {hole.wrong.value} (first by schedule {hole.first:,}, "
        f"{times}; the shrunk one again {hole.shown} of {hole.tries} times; forms {listed(hole.forms)}; "
        f"layout {hole.layout})"
    )
    if hole.known:
        yield from paragraph(f"{hole.about} {see(hole.known, hole.reference)}.", indent=2)
    if in_full:
        yield ""
        yield from (f"  {line}".rstrip() for line in told_here(hole))


def told_here(hole: FoundHole) -> Iterator[str]:
    """Its story, laid out again where the terminal is not as wide as the files are."""
    if width() == WIDTH or not hole.steps:
        yield from hole.story
        return
    with wrapped_at(width() - 2):
        yield from step_lines(hole.steps, sorted({each.transaction for each in hole.steps}))
        for sentence in hole.why:
            yield from ("", *paragraph(sentence))


def found_by(hole: FoundHole, command: str, unit: str = "schedule") -> str:
    """What story.md ends with. command: of the hunt. unit: what its numbers count."""
    return (
        f"\nFound by txfuzz {__version__}, {unit} {hole.first:,} of this hunt:\n\n```text\n{command}\n```\n"
    )


def hole_markdown(hole: FoundHole, server: str) -> str:
    """story.md of a hole."""
    lines = [
        f"# {markdown(hole.name)}",
        "",
        f"{markdown(hole.wrong.value).capitalize()}, on {markdown(server)} "
        f"at {markdown(hole.isolation.upper())}: forms {markdown(listed(hole.forms))}, "
        f"layout {markdown(hole.layout)}.",
        "",
    ]
    if hole.known:
        lines += [f"This is known: {markdown(hole.about)} {see(hole.known, hole.reference)}.", ""]
    lines += ["```text", *hole.story, "```", ""]
    lines.append(
        "`txfuzz check replay.yaml` follows the schedule again; `repro.sql` is the same to be typed by hand."
    )
    return "\n".join(lines) + "\n"
