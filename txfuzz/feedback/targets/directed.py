"""`directed`: the schedules that sessions of their own play while the clients run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, WorkloadError
from txfuzz.feedback.targets.target import Target, Written, plain, short, told
from txfuzz.workload.directed import DirectedSchedule
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.replay import read_directed
from txfuzz.workload.yaml.writer import directed_data

MOST = 16  # schedules at a time
_TOLD = 3


def directed_value(schedules: Iterable[DirectedSchedule]) -> list[dict[str, Any]]:
    """The value of the target for these schedules."""
    return [plain(directed_data(each)) for each in schedules]


def _read(workload: Workload) -> list[dict[str, Any]]:
    return directed_value(workload.directed)


def _write(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, list) or len(value) > MOST:
        raise UsageError(f"directed must be a list of at most {MOST} schedules, found {short(value)}")
    try:
        found = read_directed(_node(value), workload.transactions, None)
    except WorkloadError as error:
        raise UsageError(f"directed does not fit the workload: {error}") from None
    return replace(workload, directed=found), ()


def _node(value: Any) -> Node:
    """Plain data as the reader of workload files takes it."""
    place = Place("directed", 1, 1)
    if isinstance(value, dict):
        return Node(place, {str(name): _node(each) for name, each in value.items()})
    if isinstance(value, list):
        return Node(place, tuple(map(_node, value)))
    return Node(place, value)


def _words(value: Any) -> str:
    return told((_schedule(each) for each in value), _TOLD, "nothing")


def _schedule(data: Any) -> str:
    names = {each["alias"]: each["txn"] for each in data["transactions"]}
    missing = data["missing"]
    ends = f"{names.get(missing['from'])} → {names.get(missing['to'])}"
    return f"the {missing['kind']} edge {ends} on key {data['focus_key']}"


DIRECTED = Target("scheduling", "what directed schedules aim at", _read, _write, _words)
