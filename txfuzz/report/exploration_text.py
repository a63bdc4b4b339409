"""An exploration as a table: isolation levels against what came of the schedules."""

from __future__ import annotations

from txfuzz.analysis.consistency import model_text
from txfuzz.replay.exploring import Exploration
from txfuzz.report.lines import counted, paragraph


def exploration_text(found: Exploration) -> str:
    levels = found.levels
    types = sorted({name for level in levels for name in level.anomalies})
    codes = sorted({code for level in levels for code in level.aborted})
    cells = [["", *(level.isolation for level in levels)]]
    cells += [
        [name, *(_number(each.anomalies[name], name in each.broken) for each in levels)] for name in types
    ]
    cells += [[f"aborted {code}", *(_number(each.aborted[code]) for each in levels)] for code in codes]
    cells += [
        ["waits for a lock", *(_number(each.blocked) for each in levels)],
        ["all is well", *(_number(each.clean) for each in levels)],
        ["schedules", *(f"{each.schedules:,}" for each in levels)],
        ["a second", *(f"{each.schedules / max(each.seconds, 1e-9):,.0f}" for each in levels)],
    ]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    lines = [_head(found), ""]
    for row in cells:
        first = f"{row[0]:<{widths[0]}}"
        numbers = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([first, *numbers]).rstrip())
    broken = [level for level in levels if level.broken]
    for level in broken:
        model = model_text(level.promised)
        sentence = f"! {level.isolation} promises {model}, which forbids {', '.join(level.broken)}."
        lines += ["", *paragraph(sentence)]
    return "\n".join(lines)


def _head(found: Exploration) -> str:
    run = f"{found.distinct:,} that are different"
    if found.sampled:
        run = f"{found.distinct:,} drawn by the seed"
    return "\n".join(
        paragraph(
            f"{', '.join(found.transactions)}: {counted(len(found.cases), 'way')} to share keys, "
            f"{counted(found.orders, 'order')} of their steps, of which {run} were run at each level."
        )
    )


def _number(count: int, broken: bool = False) -> str:
    return ("!" if broken else "") + (f"{count:,}" if count else "–")
