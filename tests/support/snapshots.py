"""What a snapshot keeps of a text: everything except what differs between runs or machines."""

from __future__ import annotations

import re
from pathlib import Path

from txfuzz import __version__

_TIMES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC|[+-]\d\d:?\d\d)?"), "<TIME>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:µs|ms|s|min|h)\b"), "<DURATION>"),
)


def steady(text: str, *, paths: dict[str, Path] | None = None, times: bool = True) -> str:
    """The text with placeholders for paths, times and the version of txfuzz.

    paths: name of the placeholder → directory; <TMP> for {"tmp": tmp_path}. times: False if the
    times and durations are part of the test.
    """
    for name, path in sorted((paths or {}).items(), key=lambda item: -len(str(item[1]))):
        text = text.replace(str(path), f"<{name.upper()}>")
    text = re.sub(rf"\b{re.escape(__version__)}\b", "<VERSION>", text)
    for pattern, placeholder in _TIMES if times else ():
        text = pattern.sub(placeholder, text)
    return text
