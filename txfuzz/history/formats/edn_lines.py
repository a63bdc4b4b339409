"""The fast path for EDN histories: operations of known shapes, written directly to the columns.

It accepts only what it understands to the last byte and leaves everything else to edn_format. It must never
read anything differently.
"""

from __future__ import annotations

from collections.abc import Callable

from txfuzz.common.kind import Kind
from txfuzz.history.builder import TYPES, HistoryBuilder, Open, writes
from txfuzz.history.columns.growing import MISSING
from txfuzz.history.formats.edn_micro_operations import (
    BETWEEN,
    KINDS,
    OkMops,
    completed_mops,
    ok_lists,
    ok_registers,
)
from txfuzz.history.formats.edn_shapes import Shapes
from txfuzz.history.model import OK
from txfuzz.history.values import Mop

_TYPES = {name.encode(): number for name, number in TYPES.items()}
_MEMO = 1 << 14


class FastLines:
    """Reads operations into a builder as long as it understands them."""

    def __init__(self, builder: HistoryBuilder) -> None:
        self._builder = builder
        self._shapes = Shapes()
        self._steps: dict[bytes, tuple[int, ...]] = {}
        self._templates: dict[bytes, int] = {}
        self._ok = {Kind.LIST_APPEND: ok_lists(builder), Kind.RW_REGISTER: ok_registers(builder)}

    def learn(self, text: bytes) -> bool:
        """Learn the shape of an operation; whether it is new."""
        return self._shapes.learn(text)

    def takes(self, text: bytes) -> bool:
        """Read this operation; whether that was possible."""
        return self.run(text, 0) == len(text)

    def run(self, data: bytes, start: int) -> int:
        """Read operations from here; the end of the last one that was understood."""
        builder, columns, unfinished = self._builder, self._builder.columns, self._builder.open
        ok, names = None, builder.processes.tokens
        groups, operations = self._shapes.groups, builder.operations
        end = start
        try:
            for match in self._shapes.pattern.finditer(data, start):
                roles = groups[match.lastindex or 0]
                if roles is None:
                    break
                type, process, index, time, text, txn, steps, logical = match.group(*roles)
                if ok is None:
                    ok = self._kind(text)
                if process is None:
                    process = MISSING
                elif not process.isdigit():
                    if process not in names:
                        break  # its micro-operations decide whether it is a client
                    process = names[process]
                opened = unfinished.get(process)
                if type == b"invoke":
                    # An unterminated string would extend beyond the end of the shape.
                    if opened is not None or text.count(b'"') & 1:
                        break
                    template = -1 if txn is None else self._template(txn)
                    by_mop = None if steps is None else self._steps.get(steps) or self._numbers(steps)
                    unfinished[process] = (columns.rows, text, by_mop, logical, match, None)
                    columns.rows += 1
                    columns.process.append(process)
                    columns.invoke_at.append(columns.position)
                    columns.invoke_index.append(index or b"%d" % operations)
                    columns.invoke_time.append(time or b"-1")
                    columns.template.append(template)
                else:
                    if opened is None:
                        count = self._complete(_TYPES[type], -1, None, text)
                        opened = builder.begin_uninvoked(process)
                    elif (invoked := opened[1]) is None:
                        break
                    else:
                        count = ok(invoked, text) if ok is not None and type == b"ok" else -1
                        if count < 0:
                            count = self._complete(_TYPES[type], opened[0], invoked, text)
                    of_keys = opened[3] if logical is None else logical
                    if of_keys is not None and builder.keys.unset and count:
                        builder.keys.set_logical(columns.codes[-count:], of_keys)
                    unfinished.pop(process, None)
                    columns.row.append(opened[0])
                    columns.type.append(_TYPES[type])
                    columns.complete_at.append(columns.position)
                    columns.complete_index.append(index or b"%d" % operations)
                    columns.complete_time.append(time or b"-1")
                    columns.count.append(count)
                    if steps is None:
                        columns.steps.append(opened[2])
                    else:
                        columns.steps.append(self._steps.get(steps) or self._numbers(steps))
                columns.position += 1
                operations += 1
                end = match.end()
        except ValueError:
            pass  # text that needs a real parser
        builder.operations = operations
        return end

    def confirm_invocations(
        self, parse: Callable[[bytes, int], tuple[list[Mop], bool]], line_at: Callable[[int], int]
    ) -> None:
        """Validate the invocations that no completion has confirmed so far.

        To be called before their data is dropped, and before anything is added in another way. parse: (text
        of a vector, line) → its known micro-operations, and whether they are all. line_at: position in the
        data → line.
        """
        unfinished = self._builder.open
        unsure = []
        for process in reversed(unfinished):
            if unfinished[process][4] is None:
                break  # earlier ones were validated last time
            unsure.append(process)
        for process in reversed(unsure):
            opened = Open(*unfinished[process])._replace(match=None)
            match, text = unfinished[process][4], opened.text or b""
            try:
                self._builder.unread(text)
            except ValueError:
                line = line_at(match.end()) if match else 0
                known, keep = parse(b"[[:%b]]" % text, line)
                opened = Open(
                    opened.row,
                    None,
                    opened.steps if keep else None,
                    opened.logical if keep else None,
                    None,
                    known,
                )
            unfinished[process] = opened

    def _kind(self, text: bytes) -> OkMops | None:
        """The reader of ok transactions, once a write has shown the kind of history."""
        builder = self._builder
        if builder.kind is None:
            for mop in text.split(BETWEEN):
                f, key, *value = mop.split(b" ", 2)
                if f != b"r":
                    kind = KINDS.get(f)
                    builder.keys.token(key)
                    builder.codes.token(value[0] if value else b"")
                    builder.kind = kind
                if f != b"r" or value not in ([], [b"nil"]):
                    break  # a value read may show it, too, but that is left to the parser
        return None if builder.kind is None else self._ok[builder.kind]

    def _complete(self, type: int, row: int, invoked: bytes | None, text: bytes) -> int:
        """A completion of any type whose text needs a full check."""
        builder = self._builder
        begun = None if invoked is None else builder.unread(invoked)
        if begun is not None and text == invoked and type != OK:
            done = begun
        else:
            done = completed_mops(builder, text, type)
            if begun is not None and (wrote := writes(begun)) != writes(done):
                builder.columns.invoked_else[row] = wrote
        builder.columns.codes += done[0]
        builder.columns.values += done[1]
        return len(done[0])

    def _template(self, name: bytes) -> int:
        found = self._templates.get(name)
        if found is None:
            builder = self._builder
            found = self._templates[name] = builder.template(name.decode())
        return found

    def _numbers(self, text: bytes) -> tuple[int, ...]:
        numbers = tuple(map(int, text.split()))
        if len(self._steps) < _MEMO:
            self._steps[text] = numbers
        return numbers
