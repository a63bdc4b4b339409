"""Which keys were hot, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from txfuzz.report.html.charts import Column
from txfuzz.report.html.markup import Content, Markup, cut, el

_KEYS = 14
_GUTTER, _WIDTH, _ROW, _GAP = 74.0, 760.0, 20.0, 2.0
_WIDEST = 64.0  # one iteration


def hot_keys_chart(columns: Sequence[Column]) -> Markup:
    """Keys from top to bottom, iterations from left to right; empty if no key was under pressure."""
    pressed = [_pressure(column) for column in columns]
    total: Counter[str] = Counter()
    for each in pressed:
        total.update(each)
    keys = [key for key, count in total.most_common(_KEYS) if count]
    if not keys:
        return Markup("")
    hottest = max(each[key] for each in pressed for key in keys)
    width = min(_WIDEST, (_WIDTH - _GUTTER) / len(columns))
    gap = _GAP if width > 6 else 0.0
    height = len(keys) * _ROW + 20
    cells: list[Content] = []
    for row, key in enumerate(keys):
        cells.append(el("text", f"key {cut(key, 8)}", x=0.0, y=row * _ROW + 14, class_="key"))
        for at, counts in enumerate(pressed):
            x, y = _GUTTER + at * width, row * _ROW
            told = f"key {cut(key, 40)}, iteration {columns[at].name}: {counts[key]:,} concurrent edges"
            share = (counts[key] / hottest) ** 0.5
            cells.append(
                el(
                    "rect", el("title", told), x=x, y=y, width=width - gap, height=_ROW - _GAP, rx=3.0,
                    class_="cold" if not counts[key] else None,
                    fill_opacity=f"{0.1 + 0.9 * share:.2f}" if counts[key] else None,
                )
            )  # fmt: skip
    step = max(1, -(-len(columns) // 16))
    names = [
        el(
            "text",
            columns[at].name,
            x=_GUTTER + (at + 0.5) * width - gap / 2,
            y=height - 5,
            class_="iteration",
        )
        for at in range(0, len(columns), step)
    ]
    across = _GUTTER + len(columns) * width
    return el(
        "svg",
        el("title", "concurrent edges by key and iteration"),
        cells,
        names,
        viewBox=f"0 0 {across:.0f} {height:.0f}",
        style=f"max-width:{max(across, 220):.0f}px",
        role="img",
        class_="hot-keys",
    )


def _pressure(column: Column) -> Counter[str]:
    counts: Counter[str] = Counter()
    for iteration in column.iterations:
        for each in iteration.result.key_pressure if iteration.result else ():
            counts[str(each.key)] += each.concurrent_edges
    return counts
