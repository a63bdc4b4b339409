"""How hard clients press, and how they go through their transactions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short
from txfuzz.workload.model import PAUSES, SENDING, ThinkTime, Workload
from txfuzz.workload.yaml.scheduling import LONGEST_PAUSE, MOST_CLIENTS


def _whole(name: str, noun: str, least: int, most: int | None = None) -> Target:
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def write(workload: Workload, value: Any, original: Workload) -> Written:
        if type(value) is not int or value < least or (most is not None and value > most):
            raise UsageError(f"scheduling.{name} must be a whole number {bounds}, found {value!r}")
        given: dict[str, Any] = {name: value}
        return replace(workload, scheduling=replace(workload.scheduling, **given)), ()

    return Target("scheduling", noun, lambda workload: getattr(workload.scheduling, name), write)


CLIENTS = _whole("clients", "the number of clients", 1, MOST_CLIENTS)
BARRIER = _whole("barrier_every", "how often the clients meet at a barrier (0: never)", 0)


def _write_length(workload: Workload, value: Any, original: Workload) -> Written:
    duration = None
    if value is None:
        duration = original.scheduling.duration
        if duration is None:
            raise UsageError("scheduling.transactions must be a number: the workload does not end by time")
    elif type(value) is not int or value < 1:
        raise UsageError(
            f"scheduling.transactions must be a whole number of at least 1, or null, found {value!r}"
        )
    return replace(
        workload, scheduling=replace(workload.scheduling, transactions=value, duration=duration)
    ), ()


TRANSACTIONS = Target(
    "scheduling",
    "the transactions of an iteration",
    lambda workload: workload.scheduling.transactions,
    _write_length,
)


def _write_init(workload: Workload, value: Any, original: Workload) -> Written:
    if type(value) is not bool:
        raise UsageError(f"init_schema must be true or false, found {value!r}")
    return replace(workload, init_schema=value), ()


INIT_SCHEMA = Target(
    "scheduling",
    "whether the tables are recreated",
    lambda workload: workload.init_schema,
    _write_init,
)


def _read_think_time(workload: Workload) -> dict[str, Any] | None:
    think = workload.scheduling.think_time
    return None if think is None else {"least": think.least, "most": think.most, "before": think.before}


def _write_think_time(workload: Workload, value: Any, original: Workload) -> Written:
    think = None if value is None else _think_time(value)
    return replace(workload, scheduling=replace(workload.scheduling, think_time=think)), ()


def _think_time(value: Any) -> ThinkTime:
    if not isinstance(value, dict) or set(value) != {"least", "most", "before"}:
        raise UsageError(
            "scheduling.think_time must be null or a mapping with least, most and before, "
            f"found {short(value)}"
        )
    least, most, before = value["least"], value["most"], value["before"]
    if before not in PAUSES:
        raise UsageError(f"clients cannot pause before {before!r}: {did_you_mean(str(before), PAUSES)}")
    if not all(type(each) in (int, float) for each in (least, most)) or not 0 <= least <= most:
        raise UsageError(
            f"a pause must be from `least` to `most` seconds, not negative, found {short([least, most])}"
        )
    if most > LONGEST_PAUSE:
        raise UsageError(f"a pause must be at most {LONGEST_PAUSE:g} seconds, found {most!r}")
    return ThinkTime(float(most), float(least), before)


_BEFORE = {"step": "each further step", "write": "each write", "commit": "COMMIT"}


def _pause_in_words(value: Any) -> str:
    if value is None:
        return "none"
    least, most = value["least"] * 1000, value["most"] * 1000
    return f"{least:g} to {most:g} ms before {_BEFORE[value['before']]}"


def _write_sending(workload: Workload, value: Any, original: Workload) -> Written:
    if value not in SENDING:
        raise UsageError(f"scheduling.sending cannot be {value!r}: {did_you_mean(str(value), SENDING)}")
    return replace(workload, scheduling=replace(workload.scheduling, sending=value)), ()


THINK_TIME = Target(
    "timing", "the pauses inside transactions", _read_think_time, _write_think_time, _pause_in_words
)
SENDING_TARGET = Target(
    "timing",
    "how statements are sent",
    lambda workload: workload.scheduling.sending,
    _write_sending,
)
