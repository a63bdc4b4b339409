"""What to do after a campaign: the exact commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from txfuzz.analysis.checker.anomaly_types import is_anomaly_type
from txfuzz.analysis.result import Anomaly, Verdict
from txfuzz.common.sentences import listed
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.lines import paragraph, width
from txfuzz.report.verdict import against

_COMMAND = 44  # characters before what it is for, on the same line
_NAMED = 4  # transactions
_LOCK = "update"  # of an adapter's locks


def next_steps(record: CampaignResult) -> tuple[tuple[str, str], ...]:
    """Commands with what each is for; an empty command is advice without one."""
    return tuple(_steps(record))


def explain_step(leading: Anomaly | None) -> tuple[tuple[str, str], ...]:
    """The command that explains this anomaly, if it is one of the checker's."""
    if leading is None or not is_anomaly_type(leading.type):
        return ()
    return ((f"txfuzz explain {leading.type}", "what it is, who allows it, how to avoid it"),)


def replay_command(record: CampaignResult, path: Path) -> str:
    """path: of the replay."""
    return f"txfuzz execute {shlex.quote(str(path))} --out again.edn{_plugins(record)}"


def analyze_command(record: CampaignResult, iteration: Iteration) -> str:
    """Judges the history of the iteration as the campaign did: also by the analyzers that reject it."""
    history = shlex.quote(str(iteration.history))
    expect = record.expect or "serializable"
    rejecting = [
        name
        for name, part in iteration.deciding_result.parts.items()
        if isinstance(part, Mapping) and part.get("verdict") == Verdict.INVALID.value
    ]
    named = "".join(f" --analyzer {shlex.quote(name)}" for name in rejecting)
    return f"txfuzz analyze {history} --expect {expect}{_plugins(record)}{named}"


def _plugins(record: CampaignResult) -> str:
    return "".join(f" --plugin-file {shlex.quote(str(path))}" for path in record.plugin_files)


def _steps(record: CampaignResult) -> Iterator[tuple[str, str]]:
    directory = shlex.quote(str(record.directory))
    told, leading = record.told_first, record.leading
    if told is not None:
        yield from explain_step(leading)
        by_checker = any(is_anomaly_type(each.anomaly.type) for each in record.findings)
        if by_checker and record.facts.adapter and not record.facts.arguments.get("runner_cmd"):
            yield f"txfuzz shrink {directory}{_plugins(record)}", "the smallest SQL that shows it again"
    if record.verdict is not Verdict.UNKNOWN or record.analysed:
        yield f"txfuzz report {directory}", "the campaign as one page"
    if told is None:
        return
    yield analyze_command(record, told), "all that this history shows"
    if names := _reads_to_lock(record):
        unlocked = [each for each in names if each not in record.facts.locked]
        yield "", _lock_advice(unlocked, record.facts.own_sql) if unlocked else _rows_advice(names)


def _rows_advice(names: Sequence[str]) -> str:
    verb = "locks what it reads" if len(names) == 1 else "lock what they read"
    return (
        f"{listed(names, most=_NAMED)} {verb}, but a row that is not there yet cannot be locked: "
        "if it happened on such rows, try ones that exist beforehand (`keys: {rows: inserted}`)"
    )


def _lock_advice(names: Sequence[str], own_sql: Sequence[str]) -> str:
    """own_sql: those of the workload's transactions that are not written with `lock`."""
    micro_operations = [each for each in names if each not in own_sql]
    in_sql = [each for each in names if each in own_sql]
    places, rows = [], "rows that exist beforehand"
    if micro_operations:
        places.append(f"`lock: {_LOCK}` in the reads of {listed(micro_operations, most=_NAMED)}")
        rows += " (`keys: {rows: inserted}`)"
    if in_sql:
        places.append(f"at the end of the SELECTs of {listed(in_sql, most=_NAMED)}")
    return f"or try FOR UPDATE: {' and '.join(places)}, on {rows}, and run it again"


def _reads_to_lock(record: CampaignResult) -> tuple[str, ...]:
    """The transactions that missed another's write, if a lock of the database could have kept that away.
    A level that has broken its own promise is not the application's to repair."""
    leading, told = record.leading, record.told_first
    if leading is None or told is None or _LOCK not in record.facts.locks:
        return ()
    if against(told.deciding_result, record.answers_for):
        return ()
    if not any(edge.kind == "rw" for edge in leading.edges) and leading.type != "lost-update":
        return ()
    rows = {edge.source for edge in leading.edges if edge.kind == "rw"}
    views = [view for view in leading.transactions if not rows or view.row in rows]
    names = dict.fromkeys(view.template for view in views if view.template)
    return tuple(names)


def step_lines(steps: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Lines as a command and what follows it; one of the two may be empty. The commands are never broken,
    so that they can be copied."""
    short = [len(command) for command, _ in steps if command and len(command) <= _COMMAND]
    column = max(short, default=0)
    lines: list[tuple[str, str]] = []
    for command, what in steps:
        if not command:
            lines += [("", line) for line in paragraph(what, 2, 2)]
        elif len(command) <= column and column + len(what) + 4 <= width():
            lines.append((f"  {command}", f"{' ' * (column - len(command) + 2)}{what}"))
        else:
            lines += [(f"  {command}", ""), *(("", line) for line in paragraph(what, 6, 2))]
    return lines
