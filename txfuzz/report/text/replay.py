"""A replay as text: what each session did, in order, with one column per session."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.analysis.checker.consistency import canonical, model_text, prohibited
from txfuzz.common.sanitize import printable
from txfuzz.common.sentences import counted, listed
from txfuzz.replay.result import ReplayResult
from txfuzz.replay.stepper.attempt import LogEntry

_NARROWEST = 16


def replay_text(result: ReplayResult) -> str:
    """The log of one attempt, and a summary of all of them."""
    lines = [*log_lines(result.log), ""] if result.log else []
    return "\n".join([*lines, *_summary(result)])


def log_lines(log: Sequence[LogEntry]) -> list[str]:
    """One line per statement, and one for the late result of each statement that waited."""
    aliases = list(dict.fromkeys(entry.alias for entry in log if entry.alias is not None))
    rows = [(alias, text) for at in range(len(log)) for alias, text in _lines_of(log, at)]
    widths = {
        alias: max([_NARROWEST, len(alias), *(len(text) for other, text in rows if other == alias)])
        for alias in aliases
    }

    def line(cells: dict[str, str]) -> str:
        return "  ".join(f"{cells.get(alias, ''):<{widths[alias]}}" for alias in aliases).rstrip()

    return [line({alias: alias for alias in aliases}), *(line({alias: text}) for alias, text in rows)]


def statement(entry: LogEntry) -> str:
    """What was executed, with the logical key."""
    if entry.action == "sleep":
        return f"sleep {entry.ms:g} ms"
    if entry.action != "step":
        return entry.action
    if entry.mop is None:
        return " ".join((entry.sql or "").split())
    f, key, value = entry.mop
    where = key if entry.logical is None else entry.logical
    return f"{f} {where}" if value is None else f"{f} {where} {value}"


def seen(entry: LogEntry) -> str:
    """The result: what a read saw, or the error."""
    if entry.code:
        return f"{entry.code} {entry.message}".strip()
    if entry.mop is None or entry.mop[0] != "r":
        return "done" if entry.blocked else ""
    return read_value(entry.saw)


def read_value(value: object) -> str:
    """What a read saw: "[1 2]", "nil"."""
    if isinstance(value, tuple | list):
        return f"[{' '.join(map(str, value))}]"
    return "nil" if value is None else str(value)


def _lines_of(log: Sequence[LogEntry], at: int) -> list[tuple[str, str]]:
    entry = log[at]
    alias = entry.alias or next((each.alias for each in log if each.alias), "")
    asked = statement(entry)
    later = [
        (other.alias or "", f"… {statement(other)} → {seen(other)}")
        for other in log
        if other.blocked and other.result_after == at
    ]
    if entry.blocked:
        holder = f" for {listed(entry.waited_for)}" if entry.waited_for else ""
        return [(alias, f"{asked} waits{holder} …"), *later]
    came = seen(entry)
    return [(alias, printable(f"{asked} → {came}" if came else asked)), *later]


def _summary(result: ReplayResult) -> list[str]:
    lines = []
    if result.missing is not None:
        missing = result.missing
        lines.append(
            f"missing edge: {missing.kind} from {missing.source} to {missing.target} on key "
            f"{result.focus_key}: appeared in {result.appeared} of {counted(result.attempts, 'attempt')}"
        )
    if result.log and result.unseen:
        lines.append(
            "No verdict: no statement carries a micro-operation, so the checker has nothing to check."
        )
        return lines + [f"{sentence} ({count}×)" for sentence, count in result.diverged.items()]
    found = ", ".join(f"{name} in {count}" for name, count in result.anomalies.items()) or "none"
    lines.append(f"anomalies in {counted(result.attempts, 'attempt')}: {found}")
    allowed = [name for name in result.anomalies if name not in prohibited(canonical(result.expect))]
    if allowed:
        model = model_text(result.expect)
        lines.append(
            f"checked against {model}, which allows {listed(allowed)}; `expect` can name a stronger model"
        )
    lines += [f"{sentence} ({count}×)" for sentence, count in result.diverged.items()]
    lines += [f"{sentence} ({count}×)" for sentence, count in result.insert_races.items()]
    return lines
