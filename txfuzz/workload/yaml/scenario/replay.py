"""`replay:` — a schedule that a check has kept: who runs, at which level, and in which order they go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from txfuzz.errors import WorkloadError
from txfuzz.workload.scenario import CallReplay, ScenarioReplay
from txfuzz.workload.yaml.layout import filled, scalar, text_field
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.reader import check_version, read_text, root_of
from txfuzz.workload.yaml.scenario.conditions import value_of
from txfuzz.workload.yaml.writer import head_lines

_FIELDS = ("isolation", "calls", "schedule", "fails")
_CODE_FIELDS = ("version", "code", "adapter", "replay")
_MOST_CALLS = 6


def read_replay(node: Node, params: Mapping[str, Sequence[str]] | None) -> ScenarioReplay:
    """params: each transaction with the names of its parameters; None where they are code."""
    fields = node.fields("`replay`", _FIELDS, ("isolation", "calls", "schedule"))
    calls = fields["calls"].items("a list of calls, as in {transaction: NAME, params: {NAME: VALUE}}")
    if not 0 < len(calls) <= _MOST_CALLS:
        raise fields["calls"].unexpected(f"1 to {_MOST_CALLS} calls")
    schedule = fields["schedule"].items("a list of numbers of calls, from 1")
    fails = fields["fails"].items("a list of texts") if "fails" in fields else ()
    return ScenarioReplay(
        fields["isolation"].text("an isolation level"),
        tuple(_call(each, params) for each in calls),
        tuple(each.whole("the number of a call", 1, len(calls)) for each in schedule),
        tuple(each.text("what goes wrong") for each in fails),
    )


def _call(node: Node, params: Mapping[str, Sequence[str]] | None) -> CallReplay:
    fields = node.fields("a call", ("transaction", "params", "session"), ("transaction",))
    name = fields["transaction"].text("the name of a transaction")
    given = fields["params"].mapping("`params` as a mapping") if "params" in fields else {}
    if params is not None:
        if name not in params:
            fields["transaction"].one_of("a transaction of this scenario", list(params))
        if set(given) != set(params[name]):
            raise node.place.error(
                f"found a call of {name!r} with the parameters {', '.join(given) or 'none'}",
                ", ".join(params[name]) or "none",
            )
    read = Node.plain if params is None else value_of
    session = (
        fields["session"].whole("the number of a session", 1, _MOST_CALLS) if "session" in fields else None
    )
    return CallReplay(name, tuple((key, read(value)) for key, value in given.items()), session)


def replay_lines(replay: ScenarioReplay) -> Iterator[str]:
    yield "replay:"
    yield f"  isolation: {scalar(replay.isolation)}"
    yield "  calls:"
    for call in replay.calls:
        data: dict[str, Any] = {"transaction": call.transaction}
        if call.arguments:
            data["params"] = dict(call.arguments)
        if call.session is not None:
            data["session"] = call.session
        yield filled("    -", data, 6)
    yield filled("  schedule:", list(replay.schedule), 4)
    if replay.fails:
        yield "  fails:"
        yield from (text_field("    -", each, 6) for each in replay.fails)


@dataclass(frozen=True, slots=True)
class CodeReplay:
    """code: the Python file. adapter: the database that it ran on, None for the only one."""

    code: Path
    adapter: str | None
    replay: ScenarioReplay


def code_replay_text(code: str, adapter: str, replay: ScenarioReplay, header: str = "") -> str:
    """The file for transactions that are Python code. code: its path, as from beside this file."""
    lines = [
        *head_lines(header),
        f"code: {scalar(code)}",
        f"adapter: {scalar(adapter)}",
        *replay_lines(replay),
    ]
    return "\n".join(lines) + "\n"


def read_code_replay(path: Path) -> CodeReplay | None:
    """None for a file that is something else."""
    text = read_text(path)
    try:
        node = parse_yaml(text, str(path))
    except WorkloadError:
        return None  # whoever reads it as a scenario says why
    if node is None or not isinstance(node.value, Mapping) or "code" not in node.value:
        return None
    root = root_of(text, str(path), "scenario")
    check_version(root, "scenario")
    fields = root.fields("a replay of code", _CODE_FIELDS, ("code", "replay"))
    named = fields["code"].text("a Python file")
    code = path.parent / named
    if not code.is_file():
        raise fields["code"].place.error(f"found {named!r}, which is not a file", "a Python file")
    adapter = fields["adapter"].text("an adapter") if "adapter" in fields else None
    return CodeReplay(code, adapter, read_replay(fields["replay"], None))
