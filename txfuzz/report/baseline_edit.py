"""Minimal edits to a baseline file, which people comment and order as they like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from txfuzz.errors import UsageError
from txfuzz.report.baseline import (
    AcceptedAnomaly,
    BaselineEntry,
    accepted_text,
    baseline_text,
    entry_lines,
    read_baseline,
)
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.parser import parse_yaml

_EMPTY = re.compile(r":\s*\[\s*\]")
_COMMENT = re.compile(r"\s+#.*$")


def edited(text: str, source: str, wanted: BaselineEntry) -> str:
    """The file with this entry in place of the one for the same adapter, level and model.

    The rest stays as it is, comments included; a comment is removed with the anomaly that it stands
    beside or directly above. Raises UsageError for a file whose layout would lose its comments.
    """
    before = read_baseline(text, source)
    others = tuple(each for each in before if each.place != wanted.place)
    try:
        changed = _Lines(text, source).edited(before, wanted)
        if _plain(read_baseline(changed, source)) == _plain((*others, wanted)):
            return changed
    except (_Unusual, UsageError):
        pass
    if any(line.lstrip().startswith("#") or _COMMENT.search(line) for line in _own(text)):
        raise UsageError(
            f"{source}: cannot be changed without losing its comments; put each anomaly on its own line"
        )
    return baseline_text(sorted((*others, wanted), key=lambda each: each.place))


class _Unusual(Exception):
    """YAML that is not laid out with one item per line."""


@dataclass(frozen=True)
class _Change:
    """A replacement for the lines from start up to, but not including, stop."""

    start: int
    stop: int
    lines: tuple[str, ...] = ()


class _Lines:
    """The lines of the file, counted from 0, and its nodes with their lines."""

    def __init__(self, text: str, source: str) -> None:
        self.lines = text.splitlines()
        root = parse_yaml(text, source)
        assert root is not None
        self.root = root.mapping("a baseline")

    def edited(self, before: Sequence[BaselineEntry], wanted: BaselineEntry) -> str:
        entries = self.root["expected"].items("entries")
        starts = [_line(each) for each in entries]
        stops = [*starts[1:], self._after("expected", self.root, len(self.lines))]
        changes = []
        for node, value, stop in zip(entries, before, stops, strict=False):
            if value.place == wanted.place:
                changes = self._entry(node, value, wanted, stop)
                break
        else:
            changes = self._appended(entries, wanted, stops[-1] if entries else 0)
        for change in sorted(changes, key=lambda each: each.start, reverse=True):
            self.lines[change.start : change.stop] = change.lines
        return "\n".join(self.lines) + "\n"

    def _entry(self, node: Node, value: BaselineEntry, wanted: BaselineEntry, stop: int) -> list[_Change]:
        """The anomalies of one entry: removed, changed and added ones."""
        fields = node.mapping("an entry")
        head = fields["anomalies"].name_place.line - 1
        items = fields["anomalies"].items("anomalies")
        stop = self._after("anomalies", fields, stop)
        starts = [_line(each) for each in items]
        if len({head, *starts}) < 1 + len(starts):
            raise _Unusual
        left = {each.type: each for each in wanted.anomalies}
        changes = []
        for start, until, accepted in zip(starts, [*starts[1:], stop], value.anomalies, strict=False):
            end = self._end(start, until)
            to_be = left.pop(accepted.type, None)
            if to_be is None:
                changes.append(_Change(self._with_comments(start), end))
            elif to_be != accepted:
                changes.append(_Change(start, end, (self._changed(start, to_be),)))
        dash = self._dash(starts[0]) if starts else fields["anomalies"].name_place.column + 1
        more = tuple(f"{' ' * dash}- {accepted_text(each)}" for each in left.values())
        after = self._end(starts[-1], stop) if starts else head + 1
        if not starts and more:
            changes.append(_Change(head, head + 1, (_EMPTY.sub(":", self.lines[head]),)))
        elif starts and not wanted.anomalies:
            changes.append(
                _Change(head, head + 1, (self.lines[head].replace("anomalies:", "anomalies: []"),))
            )
        return [*changes, _Change(after, after, more)]

    def _appended(self, entries: Sequence[Node], wanted: BaselineEntry, stop: int) -> list[_Change]:
        if entries:
            end = self._end(_line(entries[-1]), stop)
            lines = entry_lines(wanted, self._dash(_line(entries[-1])))
            return [_Change(end, end, tuple(lines))]
        head = self.root["expected"].name_place.line - 1
        return [_Change(head, head + 1, (_EMPTY.sub(":", self.lines[head]), *entry_lines(wanted)))]

    def _changed(self, start: int, accepted: AcceptedAnomaly) -> str:
        comment = _COMMENT.search(self.lines[start])
        return f"{' ' * self._dash(start)}- {accepted_text(accepted)}{comment[0] if comment else ''}"

    def _dash(self, line: int) -> int:
        """The column of the dash of the item that starts on this line."""
        found = re.match(r"( *)- ", self.lines[line])
        if found is None:
            raise _Unusual
        return len(found[1])

    def _end(self, start: int, stop: int) -> int:
        """The line after the last one before `stop` that holds more than a comment."""
        while stop > start + 1 and not self._content(stop - 1):
            stop -= 1
        return stop

    def _with_comments(self, start: int) -> int:
        """The first of the comment lines directly above."""
        while self.lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return start

    def _content(self, line: int) -> bool:
        text = self.lines[line].strip()
        return bool(text) and not text.startswith("#")

    def _after(self, name: str, fields: Mapping[str, Node], stop: int) -> int:
        """The line of the next field of this mapping, or `stop`."""
        lines = [each.name_place.line - 1 for each in fields.values()]
        return min([line for line in lines if line >= fields[name].name_place.line] + [stop])


def _line(node: Node) -> int:
    return node.place.line - 1


def _own(text: str) -> list[str]:
    """Its lines without the header that every baseline has."""
    header = baseline_text(()).splitlines()
    return [line for line in text.splitlines() if line not in header]


def _plain(baseline: Sequence[BaselineEntry]) -> list[BaselineEntry]:
    """In canonical order."""
    ordered = (
        replace(
            each, anomalies=tuple(sorted(each.anomalies, key=lambda one: (one.type, one.signatures or ())))
        )
        for each in baseline
    )
    return sorted(ordered, key=lambda each: each.place)
