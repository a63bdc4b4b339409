"""Reads files of a run directory as values, checked against their types.

They may have been written by another version, cut short by a full disk, or edited by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from txfuzz.analysis.result_data import restored
from txfuzz.errors import UsageError

T = TypeVar("T")

_LARGEST = 1 << 28  # bytes of a file of JSON


class ArtefactError(UsageError):
    """A file of a campaign that cannot be used; the message starts with its path."""


def json_in(path: Path) -> Any:
    """The data of a file. ArtefactError if it cannot be read, FileNotFoundError if it does not exist."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ArtefactError(f"{path}: is too large")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArtefactError(f"{path}: cannot be read: it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: cannot be read: {error}") from None


def read_back(path: Path, wanted: type[T]) -> T:
    """The value in a file. ArtefactError if it is not of this type, FileNotFoundError if it is missing."""
    data = json_in(path)
    try:
        return restored(wanted, data)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: not written by this version of txfuzz: {error}") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")
