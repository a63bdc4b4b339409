"""Files of a run directory as values: each is checked against its type when it is read.

What stands in them may have been written by another version, cut short by a full disk, or changed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from txfuzz.analysis.result_data import restored
from txfuzz.errors import UsageError

T = TypeVar("T")

_LARGEST = 1 << 28  # bytes of a file of JSON


class ArtefactError(UsageError):
    """A file that txfuzz has written, and that cannot be used as it is now; the message starts with it."""


def json_in(path: Path) -> Any:
    """The data of a file. ArtefactError where it cannot be read; FileNotFoundError where it is not there."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ArtefactError(f"{path}: too large to be read")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArtefactError(f"{path}: cannot be read: it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: cannot be read: {error}") from None


def read_back(path: Path, wanted: type[T], restore: Callable[[Any], T] | None = None) -> T:
    """The value that was written there. ArtefactError for any other; FileNotFoundError where nothing is.

    restore: makes the value from the data, and raises ValueError where it does not fit; left out, the
    fields of the data are those of `wanted`.
    """
    data = json_in(path)
    try:
        return restored(wanted, data) if restore is None else restore(data)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: not written by this version of txfuzz: {error}") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")
