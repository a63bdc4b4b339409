"""Reproducers as lines to type by hand, for the tools of all SQL databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from txfuzz.database.api import Script, ScriptLine
from txfuzz.database.sql.windows import WindowLine, commented, in_columns


def typed_script(
    script: Script,
    tool: str,
    *,
    setup: Sequence[str],
    begin: Sequence[str],
    statement: Callable[[ScriptLine], str],
    after: Sequence[str],
    cell: Callable[[ScriptLine], str],
) -> str:
    """The script, with a column for each session, and every line labelled with the session that runs it.

    tool: the interactive program. setup, begin, after: statements before everything, at the beginning of
    each transaction, and after everything. statement: the SQL of one line. cell: a line's read value as the
    tool shows it. All statements come without semicolons.
    """
    sessions = list(dict.fromkeys(line.session for line in script.lines))
    schedule = []
    for line in script.lines:
        if line.begins:
            schedule += [WindowLine(line.session, text) for text in begin]
        schedule.append(WindowLine(line.session, statement(line), shows(line, cell)))
    lines = [
        f"-- {script.title}",
        f"-- Open {len(sessions)} {tool} windows, one for each of {', '.join(sessions)}, and enter the lines",
        "-- in this order, each in the window that its label names. Below each line stands what it shows.",
        "",
        *in_columns((WindowLine("setup", text) for text in setup), sessions),
        "",
        *in_columns(schedule, sessions),
        "",
        *in_columns((WindowLine("after", text) for text in after), sessions),
    ]
    if script.why:
        lines += ["", "-- Why this is wrong:", *(f"-- {commented(sentence)}" for sentence in script.why)]
    return "\n".join(lines) + "\n"


def shows(line: ScriptLine, cell: Callable[[ScriptLine], str]) -> str:
    """The result of a line, as a remark below it."""
    if line.code:
        return f"fails: {line.code}"
    text = f"shows {cell(line) or 'nothing'}" if line.step is not None and line.step.f == "r" else ""
    waits = "waits for a lock; its result comes later" if line.blocked else ""
    return "; ".join(filter(None, (waits, text)))
