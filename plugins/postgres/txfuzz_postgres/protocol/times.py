"""Times that Python has no value for ('infinity', the year 10000, 24:00) arrive as their text."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types import datetime as times


class _AsText:
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)  # type: ignore[misc]
        except psycopg.DataError:
            return bytes(data).decode()


class _Date(_AsText, times.DateLoader): ...


class _Time(_AsText, times.TimeLoader): ...


class _Timetz(_AsText, times.TimetzLoader): ...


class _Timestamp(_AsText, times.TimestampLoader): ...


class _Timestamptz(_AsText, times.TimestamptzLoader): ...


class _Interval(_AsText, times.IntervalLoader): ...


_LOADERS: dict[str, Any] = {
    "date": _Date,
    "time": _Time,
    "timetz": _Timetz,
    "timestamp": _Timestamp,
    "timestamptz": _Timestamptz,
    "interval": _Interval,
}


def take_any_time(connection: psycopg.Connection[Any]) -> None:
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)
