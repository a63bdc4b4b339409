"""An exploration as a table: the outcomes of its schedules by isolation level."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.common.sentences import counted
from txfuzz.replay.explore import Exploration, LevelResult
from txfuzz.report.text.lines import head_lines, paragraph


def exploration_text(found: Exploration) -> str:
    levels = found.levels
    rows = list(_rows(levels))
    heads = head_lines([level.isolation for level in levels], max(len(row[0]) for row in rows))
    cells = [*(["", *head] for head in heads), *rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    lines = [*paragraph(_head(found)), ""]
    for row in cells:
        first = f"{row[0]:<{widths[0]}}"
        numbers = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([first, *numbers]).rstrip())
    for sentence in _remarks(found):
        lines += ["", *paragraph(sentence)]
    return "\n".join(lines)


def _rows(levels: tuple[LevelResult, ...]) -> Iterator[list[str]]:
    for name in sorted({name for level in levels for name in level.anomalies}):
        yield [name, *(_number(each.anomalies[name], name in each.broken) for each in levels)]
    for code in sorted({code for level in levels for code in level.aborted}):
        yield [f"aborted {code}", *(_number(each.aborted[code]) for each in levels)]
    if any(level.stuck for level in levels):
        yield ["got stuck", *(_number(each.stuck) for each in levels)]
    yield ["waited for a lock", *(_number(each.blocked) for each in levels)]
    if any(level.races for level in levels):
        yield ["concurrent inserts", *(_number(each.races) for each in levels)]
    if any(level.unknown for level in levels):
        yield ["nothing to check", *(_number(each.unknown) for each in levels)]
    yield ["no anomaly", *(_number(each.clean) for each in levels)]
    yield ["schedules", *(f"{each.schedules:,}" for each in levels)]
    yield ["per second", *(f"{each.schedules / max(each.seconds, 1e-9):,.0f}" for each in levels)]


def _head(found: Exploration) -> str:
    ways = counted(len(found.cases), "way")
    if found.ways is None:
        ways = f"{ways} to share keys, drawn by the seed from too many to count"
    elif found.ways > len(found.cases):
        ways = f"{ways} to share keys, drawn by the seed from {found.ways:,}"
    else:
        ways = f"{ways} to share keys"
    run = f"{found.distinct:,} different ones"
    if any(case.sampled for case in found.cases):
        run = f"{found.distinct:,}, drawn by the seed,"
    were = "were to be run" if found.stopped else "were run"
    return (
        f"{', '.join(found.transactions)}: {ways}, {counted(found.orders, 'order')} of their steps, of which "
        f"{run} {were} at each level."
    )


def _remarks(found: Exploration) -> Iterator[str]:
    for level in found.levels:
        if level.broken:
            model = model_text(level.promised)
            yield f"! {level.isolation} promises {model}, which forbids {', '.join(level.broken)}."
    if any(level.races for level in found.levels):
        yield (
            "Concurrent inserts: no row exists before the first write (keys: {rows: fresh}), and two "
            "transactions insert the same one. With --rows inserted the rows exist beforehand."
        )
    if found.stopped:
        yield "It was stopped before all schedules had run."
    elif not found.judged:
        steps = (step for case in found.cases for role in case.roles for step in role.transaction.steps)
        unseen = not any(step.micro_operations for step in steps)
        why = (
            "none of their statements carries a micro-operation, without which the checker cannot tell which "
            "transaction read what from which"
            if unseen
            else "in no schedule did a committed transaction depend on another"
        )
        yield f"No verdict: {why}."


def _number(count: int, broken: bool = False) -> str:
    return ("!" if broken else "") + (f"{count:,}" if count else "–")
