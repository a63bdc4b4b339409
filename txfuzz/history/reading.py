"""The front door: a history file into a History."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from txfuzz.errors import HistoryError
from txfuzz.history.building import HistoryBuilder
from txfuzz.history.model import History


def read_history(path: str | os.PathLike[str]) -> History:
    """Read a history file (EDN, one operation map a line)."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise HistoryError(f"{os.fspath(path)}: {error.strerror}") from None
    return read_history_bytes(data, os.fspath(path))


def read_history_bytes(data: bytes, name: str = "history") -> History:
    """Read a history from memory; `name` stands for the file in messages."""
    import edn_format  # slow to import

    builder = HistoryBuilder(name)
    for number, line in enumerate(data.decode().splitlines(), 1):
        try:
            op = edn_format.loads(line)
        except Exception as error:
            raise HistoryError(f"{name}:{number}: {error}") from None
        if op is not None:
            _add(builder, {key.name: value for key, value in op.items()}, number)
    if not builder.operations:
        raise HistoryError(f"{name}: no operations")
    return builder.finish()


def _add(builder: HistoryBuilder, op: Mapping[str, Any], line: int) -> None:
    process = op.get("process")
    if process is not None and type(process) is not int:
        builder.other()
        return
    value = op.get("value")
    mops = None if value is None else [(mop[0].name, mop[1], _plain(mop[2])) for mop in value]
    builder.add(
        op["type"].name,
        process,
        mops,
        index=op.get("index"),
        time=op.get("time"),
        txn=op.get("txn"),
        steps=tuple(op.get("steps") or ()),
        logical=tuple(op.get("logical") or ()),
        line=line,
    )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
