"""One micro-operation as a value: EDN text for people, JSON data for files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from txfuzz.common.json_text import number
from txfuzz.history.formats.edn import EdnParser
from txfuzz.history.values import edn


@dataclass(frozen=True, slots=True)
class MopView:
    """One micro-operation, in Elle's terms.

    f: "r", "append" or "w". key, value: as in the history. The value of a read is what it saw (a
    list as a tuple), None if it saw nothing or this is unknown. left_out: how many elements are missing
    from the middle of a list that is too long to be shown whole.
    """

    f: str
    key: Any
    value: Any = None
    left_out: int = 0

    @property
    def reads(self) -> bool:
        return self.f == "r"

    @property
    def text(self) -> str:
        """EDN: "[:append 3 4]"; "…" stands for what is left out."""
        return f"[:{self.f} {edn(self.key)} {self.value_text}]"

    @property
    def value_text(self) -> str:
        if not self.left_out:
            return edn(self.value)
        shown, half = [edn(each) for each in self.value], len(self.value) // 2
        return f"[{' '.join([*shown[:half], f'… {self.left_out} more …', *shown[half:]])}]"

    def to_json(self) -> list[Any]:
        """As in Elle's JSON: ["r", 1, [1, 2]]; `left_out` comes fourth if it is not 0.

        A key or value that JSON cannot express becomes {"edn": its EDN text}.
        """
        data = [self.f, _json_value(self.key), _json_value(self.value)]
        return [*data, self.left_out] if self.left_out else data

    @classmethod
    def from_json(cls, data: Any) -> MopView:
        """The inverse of `to_json`. ValueError for anything else."""
        match data:
            case [str(f), key, value]:
                return cls(f, _value(key), _value(value))
            case [str(f), key, [*values], int(left_out)]:
                return cls(f, _value(key), _value(values), left_out)
        raise ValueError("expected a micro-operation such as ['append', 1, 2]")


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and number(value) == value:
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_json_value(each) for each in value]
    return {"edn": edn(value)}


def _value(data: Any) -> Any:
    match data:
        case [*items]:
            return tuple(_value(each) for each in items)
        case {"edn": str(text), **more} if not more:
            return _from_edn(text)
        case {}:
            raise ValueError("a key or value is an object without `edn`")
    return data


def _from_edn(text: str) -> Any:
    """The value; the text itself if it is not EDN, since a history made in Python can hold anything."""
    try:
        return _parser().scalar(text.encode())
    except ValueError:
        return text


@cache
def _parser() -> EdnParser:
    return EdnParser()
