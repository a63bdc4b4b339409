"""Workloads as readable YAML files, which are read back as the same workload."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from txfuzz.common.secrets import without_password, without_secrets
from txfuzz.database.endpoints import Endpoint
from txfuzz.transactions.model import (
    Argument,
    MicroOperation,
    Mode,
    NewValue,
    Param,
    Ref,
    Returned,
    RollbackTo,
    Step,
    Transaction,
)
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.directed import DirectedSchedule
from txfuzz.workload.model import SENDING, DatabaseSpec, FaultSpec, PluginSpec, Scheduling, Workload
from txfuzz.workload.replay import Action, Replay
from txfuzz.workload.yaml.campaign import campaign_data
from txfuzz.workload.yaml.layout import filled, scalar, text_field
from txfuzz.workload.yaml.reader import VERSION

_STEP = " " * 8


def workload_text(workload: Workload, header: str = "") -> str:
    """The workload file. header: lines of a comment at its top.

    Passwords are not written: they are removed from URLs, and options whose names mark them as secret
    are left out.
    """
    return "\n".join(_lines(workload, header)) + "\n"


def head_lines(header: str) -> Iterator[str]:
    """The comment, and the version of the format."""
    for line in header.splitlines():
        printable = "".join(each if each.isprintable() else " " for each in line)
        yield f"# {printable}".rstrip()
    yield f"version: {VERSION}"


def _lines(workload: Workload, header: str) -> Iterator[str]:
    yield from head_lines(header)
    yield text_field("name:", workload.name, 2)
    if workload.about:
        yield text_field("about:", workload.about, 2)
    if database := database_data(workload.database):
        yield filled("database:", database, 2)
    if workload.expect is not None:
        yield text_field("expect:", workload.expect, 2)
    yield f"init_schema: {scalar(workload.init_schema)}"
    yield f"seed: {workload.seed}"
    yield "workload:"
    yield "  transactions:"
    for transaction in workload.transactions:
        yield from _transaction(transaction)
    yield "  mix:"
    for weight in workload.mix:
        yield filled("    -", {"txn": weight.txn, "weight": weight.weight}, 6)
    yield filled("keys:", {"writes": workload.keys.writes, "rows": workload.keys.rows}, 2)
    yield filled("scheduling:", _scheduling(workload.scheduling), 2)
    if workload.analyzers is not None:
        yield filled("analyzers:", _named(workload.analyzers), 2)
    if workload.heuristics is not None:
        yield filled("heuristics:", _named(workload.heuristics), 2)
    if workload.strategy is not None:
        yield filled("strategy:", _named((workload.strategy,))[0], 2)
    if workload.faults:
        yield "faults:"
        for fault in workload.faults:
            yield filled("  -", _fault(fault), 4)
    if workload.replay is not None:
        yield from _replay(workload.replay)
    if workload.campaign is not None:
        yield filled("campaign:", campaign_data(workload.campaign), 2)
    if workload.mutate != AllowedChanges():
        yield filled("mutate:", _allowed(workload.mutate), 2)
    if workload.directed:
        yield "directed:"
        for schedule in workload.directed:
            yield from _directed(schedule)


def database_data(spec: DatabaseSpec) -> dict[str, Any]:
    own = {
        "adapter": spec.adapter,
        "isolation": spec.isolation,
        "url": None if spec.url is None else without_password(spec.url),
    }
    given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    if spec.endpoints:
        given["endpoints"] = {each.name: _endpoint(each) for each in spec.endpoints}
    return {**given, **without_secrets(spec.options)}


def _endpoint(endpoint: Endpoint) -> Any:
    url = None if endpoint.url is None else without_password(endpoint.url)
    own = {"role": endpoint.role, "isolation": endpoint.isolation, "url": url}
    given = {name: value for name, value in own.items() if value is not None}
    return endpoint.role if len(given) == 1 else given


def _at(at: tuple[tuple[str, float], ...]) -> Any:
    return at[0][0] if len(at) == 1 else {name: _plain_share(share) for name, share in at}


def _plain_share(share: float) -> float:
    return int(share) if share == int(share) else share


def _transaction(transaction: Transaction) -> Iterator[str]:
    yield text_field("    - name:", transaction.name, 8)
    yield from mode_lines(transaction.mode)
    yield "      steps:"
    for step in transaction.steps:
        if step.sql is None:
            yield filled(f"{_STEP}-", {"f": step.f, **_own_fields(step), "key": _key(step.key)}, 12)
        else:
            yield from _raw_step(step, step.sql)


def mode_lines(mode: Mode) -> Iterator[str]:
    if mode.isolation is not None:
        yield text_field("      isolation:", mode.isolation, 8)
    if mode.at:
        yield filled("      at:", _at(mode.at), 8)
    for name in ("read_only", "deferrable"):
        if getattr(mode, name):
            yield f"      {name}: true"


def _raw_step(step: Step, sql: str) -> Iterator[str]:
    yield text_field(f"{_STEP}- sql:", sql, 12)
    for name, data in _raw_fields(step).items():
        yield filled(f"{_STEP}  {name}:", data, 12)


def _raw_fields(step: Step) -> dict[str, Any]:
    """The fields of a raw statement beside `sql`."""
    elle = [_micro_operation(each) for each in step.micro_operations]
    fields: dict[str, Any] = {
        "args": {name: _key(arg) for name, arg in step.args},
        "elle": elle[0] if len(elle) == 1 else elle,
        **rules_data(step),
    }
    return {name: data for name, data in fields.items() if data or (name == "elle" and step.harmless)}


def transaction_data(transaction: Transaction) -> dict[str, Any]:
    """The transaction as plain data, as in a workload file."""
    mode = transaction.mode
    at = _at(mode.at) if mode.at else None
    given = {
        "isolation": mode.isolation,
        "at": at,
        "read_only": mode.read_only,
        "deferrable": mode.deferrable,
    }
    steps = [
        {"f": step.f, **_own_fields(step), "key": _key(step.key)}
        if step.sql is None
        else {"sql": step.sql, **_raw_fields(step)}
        for step in transaction.steps
    ]
    return {
        "name": transaction.name,
        **{word: value for word, value in given.items() if value},
        "steps": steps,
    }


def _own_fields(step: Step) -> dict[str, Any]:
    own = {"lock": step.lock, "form": step.form}
    return {name: word for name, word in own.items() if word is not None}


def rules_data(step: Step) -> dict[str, Any]:
    """How the transaction continues after a statement: what it returns, by its rows, by its error."""
    errors = {
        code: {"rollback_to": rule.savepoint} if isinstance(rule, RollbackTo) else rule
        for code, rule in step.on_error
    }
    return {"returns": dict(step.returns), "rows": dict(step.rows), "on_error": errors}


def _micro_operation(each: MicroOperation) -> dict[str, str]:
    fields = {name: getattr(each, name) for name in ("f", "key", "value", "column", "key_column")}
    return {name: value for name, value in fields.items() if value is not None}


def _key(key: Argument | None) -> Any:
    if isinstance(key, NewValue):
        return {"new": "value"}
    if isinstance(key, Ref | Returned | Param):
        return {"ref": key.name}
    assert key is not None
    keys, named = key.keys, key.name is not None or bool(key.distinct_from)
    if isinstance(keys, tuple) and len(keys) == 1 and not named:
        return keys[0]
    data: dict[str, Any] = {
        "choice": {"range": [keys[0], keys[-1]]} if isinstance(keys, range) else {"from": keys}
    }
    if key.name is not None:
        data["as"] = key.name
    if key.distinct_from:
        data["distinct_from"] = key.distinct_from
    return data


def _scheduling(scheduling: Scheduling) -> dict[str, Any]:
    data: dict[str, Any] = {"clients": scheduling.clients}
    if scheduling.duration is not None:
        data["duration"] = _duration(scheduling.duration)
    else:
        data["transactions"] = scheduling.transactions
    data["barrier_every"] = scheduling.barrier_every
    think = scheduling.think_time
    if think is not None:
        data["think_time"] = {"least": think.least, "most": think.most, "before": think.before}
    if scheduling.sending != SENDING[0]:
        data["sending"] = scheduling.sending
    return data if scheduling.directed == Scheduling().directed else {**data, "directed": scheduling.directed}


def _allowed(allowed: AllowedChanges) -> Any:
    words: dict[str, Any] = {
        "rows": allowed.rows,
        "locks": allowed.locks,
        "isolation": allowed.levels,
        "forms": allowed.forms,
        "plans": allowed.plans,
        "layout": allowed.layout,
    }
    return [{kind: words[kind]} if words.get(kind) else kind for kind in allowed.kinds]


def _duration(seconds: float) -> Any:
    """90s, 5m; a plain number of seconds where these would be inexact."""
    if seconds != math.floor(seconds):
        return seconds
    whole = int(seconds)
    return f"{whole // 60}m" if whole % 60 == 0 else f"{whole}s"


def _fault(fault: FaultSpec) -> dict[str, Any]:
    data: dict[str, Any] = {"name": fault.name}
    if fault.every is not None:
        data["every"] = _duration(fault.every)
    if fault.at:
        data["at"] = [_duration(seconds) for seconds in fault.at]
    if fault.times is not None:
        data["times"] = fault.times
    if fault.when is not None:
        data["when"] = fault.when
    return {**data, **without_secrets(fault.options)}


def _named(names: Iterable[PluginSpec]) -> list[Any]:
    given = ((each.name, without_secrets(each.options)) for each in names)
    return [{"name": name, **options} if options else name for name, options in given]


def _replay(replay: Replay) -> Iterator[str]:
    yield "replay:"
    yield f"  enabled: {scalar(replay.enabled)}"
    yield "  transactions:"
    for each in replay.transactions:
        template = {} if each.template is None else {"template": each.template}
        yield filled("    -", {"alias": each.alias, "txn": each.txn, **template}, 6)
    if replay.schedule:
        yield "  schedule:"
        for action in replay.schedule:
            yield filled("    -", _action(action), 6)
    if replay.focus_key is not None:
        yield f"  focus_key: {replay.focus_key}"
    if replay.pause_after:
        yield filled("  pause_after:", {alias: list(each) for alias, each in replay.pause_after.items()}, 4)
    if missing := replay.missing:
        yield filled("  missing:", {"kind": missing.kind, "from": missing.source, "to": missing.target}, 4)
    if replay.anomaly is not None:
        yield text_field("  anomaly:", replay.anomaly, 4)


def directed_data(schedule: DirectedSchedule) -> dict[str, Any]:
    """The schedule as plain data, as in a workload file."""
    missing = schedule.missing
    return {
        "transactions": [
            {"alias": each.alias, "txn": each.txn, "keys": list(each.keys)} for each in schedule.transactions
        ],
        "schedule": [_action(each) for each in schedule.schedule],
        "missing": {"kind": missing.kind, "from": missing.source, "to": missing.target},
        "focus_key": schedule.focus_key,
        **({} if schedule.anomaly is None else {"anomaly": schedule.anomaly}),
    }


def _directed(schedule: DirectedSchedule) -> Iterator[str]:
    lead = "  - "
    for name, data in directed_data(schedule).items():
        yield filled(f"{lead}{name}:", data, 6)
        lead = "    "


def _action(action: Action) -> dict[str, Any]:
    data: dict[str, Any] = {} if action.alias is None else {"alias": action.alias}
    data["action"] = action.action
    if action.action == "step" and action.steps != 1:
        data["steps"] = action.steps
    if action.action == "sleep":
        data["ms"] = action.ms
    return data
