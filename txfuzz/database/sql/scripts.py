"""Reproducers as lines to type by hand, for the tools of all SQL databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from txfuzz.database.api import Script, ScriptLine


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
    """The script, with every line labelled with the session that runs it.

    tool: the interactive program. setup, begin, after: statements before everything, at the beginning of
    each transaction, and after everything. statement: the SQL of one line. cell: a line's read value as the
    tool shows it. All statements come without semicolons.
    """
    sessions = list(dict.fromkeys(line.session for line in script.lines))
    label = max(map(len, (*sessions, "setup", "after")))

    def labelled(session: str, text: str, remark: str = "") -> str:
        return f"/* {session:<{label}} */ {text};" + (f"  -- {remark}" if remark else "")

    lines = [
        f"-- {script.title}",
        f"-- Open {len(sessions)} {tool} windows, one for each of {', '.join(sessions)}, and enter the lines",
        "-- in this order, each in the window that its label names. A remark says what a line shows.",
        "",
        *(labelled("setup", text) for text in setup),
        "",
    ]
    for line in script.lines:
        if line.begins:
            lines += [labelled(line.session, text) for text in begin]
        lines.append(labelled(line.session, statement(line), shows(line, cell)))
    lines += ["", *(labelled("after", text) for text in after)]
    return "\n".join(lines) + "\n"


def shows(line: ScriptLine, cell: Callable[[ScriptLine], str]) -> str:
    """The result of a line, as a remark after it."""
    if line.code:
        return f"fails: {line.code}"
    text = f"shows {cell(line) or 'nothing'}" if line.step is not None and line.step.f == "r" else ""
    waits = "waits for a lock; its result comes later" if line.blocked else ""
    return "; ".join(filter(None, (waits, text)))
