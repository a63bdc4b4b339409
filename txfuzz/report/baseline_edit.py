"""A baseline file changed only where it has to be: people write comments into it, and choose its order."""

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
    """The file with this entry in the place of the one of the same adapter, level and model.

    What stays stands there as it did, with its comments; a comment goes with the anomaly that it stands
    beside or directly above. Raises UsageError for a file whose layout would cost it its comments.
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
            f"{source}: cannot be changed without losing its comments; each anomaly needs a line of its own"
        )
    return baseline_text(sorted((*others, wanted), key=lambda each: each.place))


class _Unusual(Exception):
    """YAML in another layout than that of one thing a line."""


@dataclass(frozen=True)
class _Change:
    """Instead of the lines from start to before stop."""

    start: int
    stop: int
    lines: tuple[str, ...] = ()


class _Lines:
    """The lines of the file, counted from 0, and where its nodes stand in them."""

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
        """The anomalies of one entry: those that go, those that change, those that come."""
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
        """Where the dash of an item is that begins in this line."""
        found = re.match(r"( *)- ", self.lines[line])
        if found is None:
            raise _Unusual
        return len(found[1])

    def _end(self, start: int, stop: int) -> int:
        """Behind the last line before `stop` that holds more than a comment."""
        while stop > start + 1 and not self._content(stop - 1):
            stop -= 1
        return stop

    def _with_comments(self, start: int) -> int:
        """Where the comments begin that stand directly above."""
        while self.lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return start

    def _content(self, line: int) -> bool:
        text = self.lines[line].strip()
        return bool(text) and not text.startswith("#")

    def _after(self, name: str, fields: Mapping[str, Node], stop: int) -> int:
        """Where the next field of this mapping begins, or `stop`."""
        lines = [each.name_place.line - 1 for each in fields.values()]
        return min([line for line in lines if line >= fields[name].name_place.line] + [stop])


def _line(node: Node) -> int:
    return node.place.line - 1


def _own(text: str) -> list[str]:
    """Its lines without the header that every baseline gets."""
    header = baseline_text(()).splitlines()
    return [line for line in text.splitlines() if line not in header]


def _plain(baseline: Sequence[BaselineEntry]) -> list[BaselineEntry]:
    """In one order."""
    ordered = (
        replace(
            each, anomalies=tuple(sorted(each.anomalies, key=lambda one: (one.type, one.signatures or ())))
        )
        for each in baseline
    )
    return sorted(ordered, key=lambda each: each.place)
