"""Records of a run that goes on for long, one JSON object a line, each written as soon as it is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from txfuzz.analysis.result_data import restored
from txfuzz.campaign.directory.run_directory import writing
from txfuzz.campaign.directory.values import ArtefactError
from txfuzz.errors import UsageError

T = TypeVar("T")


def records_in(path: Path, kind: type[T], what: str) -> Iterator[T]:
    """Those that are done, none if there is no file. A last line that was cut off does not count and is
    removed. what: one of them, for messages. Raises ArtefactError for a line that is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    whole, end, _ = text.rpartition("\n")
    if len(whole) + len(end) < len(text):
        with writing(path):
            path.write_text(whole + end, encoding="utf-8")
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            yield restored(kind, json.loads(line))
        except (ValueError, UsageError) as error:
            raise ArtefactError(f"{path}:{number}: expected {what}, found {line[:60]!r}: {error}") from None
