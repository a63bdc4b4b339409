"""Small random histories for hypothesis: plain transactions, and the same as EDN."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from brute_force import Mop, Txn
from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes

KEYS = 2


@st.composite
def list_histories(draw: st.DrawFn, most: int = 6) -> list[Txn]:
    """Appends in some order to a few lists; most reads see a prefix of that order, some do not."""
    shapes = _shapes(draw, most, ("r", "append"))
    order: dict[int, list[int]] = {}
    for key in range(KEYS):
        written = [value for _, mops in shapes for f, k, value in mops if f == "append" and k == key]
        order[key] = draw(st.permutations(written))
    unlikely = st.integers(0, 19)

    def seen(key: int) -> tuple[int, ...] | None:
        values = order[key][: draw(st.integers(0, len(order[key])))]
        odd = draw(unlikely)
        if odd == 0 and values:
            values = draw(st.permutations(values))
        elif odd == 1:
            values = [*values, 99]  # nobody wrote it
        elif odd == 2 and values:
            values = [*values, values[0]]
        elif odd == 3 and not values:
            return None
        return tuple(values)

    return _scheduled(draw, [(type, [_read(mop, type, seen, draw) for mop in mops]) for type, mops in shapes])


@st.composite
def register_histories(draw: st.DrawFn, most: int = 6) -> list[Txn]:
    """Reads of a few registers see any value that is ever written, and sometimes one that is not."""
    shapes = _shapes(draw, most, ("r", "w"))

    def seen(key: int) -> int | None:
        written = [value for _, mops in shapes for f, k, value in mops if f == "w" and k == key]
        unwritten = [99] if draw(st.integers(0, 19)) == 0 else []
        return draw(st.sampled_from([None, *written, *unwritten]))

    return _scheduled(draw, [(type, [_read(mop, type, seen, draw) for mop in mops]) for type, mops in shapes])


def _shapes(draw: st.DrawFn, most: int, functions: tuple[str, str]) -> list[tuple[str, list[Mop]]]:
    """For each transaction its type and micro-operations; reads have no value yet."""
    types = st.sampled_from(["ok"] * 6 + ["fail", "info"])
    mop = st.tuples(st.sampled_from(functions), st.integers(0, KEYS - 1))
    values = [0] * KEYS
    shapes = []
    for _ in range(draw(st.integers(1, most))):
        mops: list[Mop] = []
        for f, key in draw(st.lists(mop, min_size=1, max_size=3)):
            values[key] += f != "r"
            mops.append((f, key, None if f == "r" else values[key]))
        shapes.append((draw(types), mops))
    return shapes


def _read(mop: Mop, type: str, seen: Any, draw: st.DrawFn) -> Mop:
    f, key, _ = mop
    if f != "r" or type == "fail" or (type == "info" and draw(st.booleans())):
        return mop
    return (f, key, seen(key))


def _scheduled(draw: st.DrawFn, transactions: list[tuple[str, list[Mop]]]) -> list[Txn]:
    """Spread over three clients; a client continues as another process when an outcome is unknown."""
    clients: list[list[tuple[str, list[Mop]]]] = [[], [], []]
    for transaction in transactions:
        clients[draw(st.integers(0, 2))].append(transaction)
    process = [0, 1, 2]
    running: list[int | None] = [None, None, None]
    txns: list[Txn] = []
    place = 0
    while any(clients):
        client = draw(st.sampled_from([at for at, left in enumerate(clients) if left]))
        type, mops = clients[client][0]
        open_at = running[client]
        if open_at is None:
            running[client] = place
            place += 1
            if type == "info" and draw(st.booleans()):  # never completes
                txns.append(Txn(type, process[client], _asked(mops), place - 1, None))
            else:
                continue
        else:
            txns.append(Txn(type, process[client], tuple(mops), open_at, place))
            place += 1
        running[client] = None
        clients[client].pop(0)
        process[client] += 3 if type == "info" else 0
    return sorted(txns, key=lambda txn: txn.invoke_at)


def _asked(mops: Any) -> tuple[Mop, ...]:
    return tuple((f, key, None if f == "r" else value) for f, key, value in mops)


def edn_value(value: Any) -> str:
    if value is None:
        return "nil"
    return f"[{' '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def edn_of(txns: list[Txn], first_index: int = 0) -> str:
    """The history as a file: one operation per line."""
    lines: dict[int, str] = {}
    for txn in txns:
        for at, type, mops in (
            (txn.invoke_at, "invoke", _asked(txn.mops)),
            (txn.complete_at, txn.type, txn.mops),
        ):
            if at is not None:
                text = " ".join(f"[:{f} {key} {edn_value(value)}]" for f, key, value in mops)
                lines[at] = (
                    f"{{:index {at + first_index}, :type :{type}, :process {txn.process}, :f :txn, "
                    f":time {at * 1000}, :value [{text}]}}"
                )
    return "".join(f"{lines[at]}\n" for at in sorted(lines))


def history_of(txns: list[Txn]) -> History:
    return read_history_bytes(edn_of(txns).encode(), "small.edn")


def txn(text: str, invoke_at: int, complete_at: int | None, process: int = 0) -> Txn:
    """A transaction in words: "ok append 1 5, r 1 [5], r 2 nil"."""
    type, _, rest = text.partition(" ")
    mops: list[Mop] = []
    for mop in rest.split(", "):
        f, key, value = mop.split(" ", 2)
        if value.startswith("["):
            mops.append((f, int(key), tuple(map(int, value[1:-1].split()))))
        else:
            mops.append((f, int(key), None if value == "nil" else int(value)))
    return Txn(type, process, tuple(mops), invoke_at, complete_at)


def overlapping(*texts: str) -> History:
    """All invoked, then all completed, each by a separate process."""
    count = len(texts)
    return history_of([txn(text, at, count + at, at) for at, text in enumerate(texts)])


def in_a_row(*texts: str, processes: int = 1) -> History:
    """Each completed before the next is invoked, the processes taking turns."""
    return history_of([txn(text, 2 * at, 2 * at + 1, at % processes) for at, text in enumerate(texts)])
