"""`faults`: when the faults of the workload strike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short, told
from txfuzz.workload.model import MOMENTS, FaultSpec, Workload
from txfuzz.workload.yaml.faults import SHORTEST_INTERVAL

_TOLD = 4
_LONGEST = 24 * 3600.0
_MOMENTS = {
    None: "",
    "commit": ", at a COMMIT of a directed schedule",
    "lock": ", while a directed schedule holds a lock",
}


def _read(workload: Workload) -> list[dict[str, Any]]:
    return [_data(each) for each in workload.faults]


def _data(fault: FaultSpec) -> dict[str, Any]:
    when = {} if fault.when is None else {"when": fault.when}
    if fault.every is None:
        return {"name": fault.name, "at": list(fault.at), **when}
    return {"name": fault.name, "every": fault.every, "times": fault.times, **when}


def _write(workload: Workload, value: Any, original: Workload) -> Written:
    names = [each.name for each in workload.faults]
    if not isinstance(value, list) or [_name(each) for each in value] != names:
        has = told(map(repr, names), _TOLD, "no faults")
        raise UsageError(
            f"faults must be a list with the faults of the workload ({has}), found {short(value)}"
        )
    timed = tuple(_timed(fault, each) for fault, each in zip(workload.faults, value, strict=True))
    return replace(workload, faults=timed), ()


def _name(entry: Any) -> object:
    return entry.get("name") if isinstance(entry, dict) else None


def _timed(fault: FaultSpec, entry: dict[str, Any]) -> FaultSpec:
    when = entry.get("when")
    if when is not None and when not in MOMENTS:
        raise UsageError(f"fault {fault.name!r} cannot wait for {when!r}: {did_you_mean(str(when), MOMENTS)}")
    fault = replace(fault, when=when)
    if set(entry) - {"when"} == {"name", "at"}:
        return replace(fault, at=tuple(sorted(_times(fault, entry["at"]))), every=None, times=None)
    if set(entry) - {"when"} != {"name", "every", "times"}:
        raise UsageError(f"fault {fault.name!r} needs `at`, or `every` and `times`, found {short(entry)}")
    every, times = entry["every"], entry["times"]
    if not _is_time(every) or every < SHORTEST_INTERVAL:
        raise UsageError(
            f"fault {fault.name!r} must strike every {SHORTEST_INTERVAL:g} seconds or less often, "
            f"found {every!r}"
        )
    if times is not None and (type(times) is not int or times < 1):
        raise UsageError(f"fault {fault.name!r} must strike at least once or without limit, found {times!r}")
    return replace(fault, at=(), every=float(every), times=times)


def _times(fault: FaultSpec, at: Any) -> Sequence[float]:
    if not isinstance(at, list) or not at or not all(_is_time(each) and each > 0 for each in at):
        raise UsageError(
            f"the times of fault {fault.name!r} must be seconds above zero, at most a day, found {short(at)}"
        )
    return [float(each) for each in at]


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= _LONGEST


def _words(value: Any) -> str:
    return told((f"{each['name']} {_when(each)}" for each in value), _TOLD)


def _when(entry: Any) -> str:
    moment = _MOMENTS[entry.get("when")]
    if "at" in entry:
        return f"at {told((f'{each:g} s' for each in entry['at']), _TOLD)}{moment}"
    most = "" if entry["times"] is None else f", at most {entry['times']} times"
    return f"every {entry['every']:g} s{most}{moment}"


FAULTS = Target("faults", "when faults strike", _read, _write, _words)
