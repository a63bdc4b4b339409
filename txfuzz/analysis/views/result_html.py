"""Results as HTML fragments, for notebooks. All text from histories is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from txfuzz.analysis.views.cycle_parts import TransactionView
from txfuzz.common.sanitize import printable

_LONGEST = 600  # characters of one text
_TRANSACTIONS = 12


def result_html(head: str, rows: Mapping[str, str], first: Iterable[str]) -> str:
    """The verdict, the known numbers, the first anomalies or near-cycles (already HTML)."""
    known = [(name, value) for name, value in rows.items() if value]
    return f"<div><p><b>{text(head)}</b></p>{table(known)}{''.join(first)}</div>"


def cycle_html(head: str, views: Sequence[TransactionView], lines: Sequence[str], missing: str = "") -> str:
    """The transactions, the reason for each edge, and the missing edge."""
    told = "".join(f"<li>{text(line)}</li>" for line in lines[:_TRANSACTIONS])
    lacks = f"<li><i>{text(missing)}</i></li>" if missing else ""
    return f"<div><p><b>{text(head)}</b></p>{_views(views)}<ul>{told}{lacks}</ul></div>"


def table(rows: Sequence[tuple[object, ...]], head: Sequence[str] = ()) -> str:
    """A plain table; notebooks have their own style."""
    names = "".join(f"<th>{text(name)}</th>" for name in head)
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    lines = ["".join(f"<td>{text(str(cell))}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def text(value: str) -> str:
    """A text, cut to a bounded length."""
    return escape(printable(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"))


def _views(views: Sequence[TransactionView]) -> str:
    rows = [
        (f"T{at}", view.index, view.template or "", f"process {view.process}", view.text)
        for at, view in enumerate(views[:_TRANSACTIONS], 1)
    ]
    more = len(views) - len(rows)
    return table(rows) + (f"<p>… {more:,} more transactions</p>" if more > 0 else "")
