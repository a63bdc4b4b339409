"""Small random histories of a simulated database, with snapshot isolation or with none."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History


@dataclass
class Txn:
    """mops: (f, key, what was read or written)."""

    process: int
    template: str
    mops: list[tuple[str, int, object]]
    ok: bool = True
    steps: list[int] = field(default_factory=list)


@dataclass
class Play:
    """Transactions, and the order of their beginnings and ends: (row, is it the end)."""

    txns: list[Txn]
    events: list[tuple[int, bool]]

    def registers(self) -> Play:
        """The same with registers: a read sees the last element."""

        def mop(f: str, key: int, value: object) -> tuple[str, int, object]:
            if f == "append":
                return "w", key, value
            return f, key, value[-1] if value else None  # type: ignore[index]

        return Play([replace(txn, mops=[mop(*each) for each in txn.mops]) for txn in self.txns], self.events)

    def history(self) -> History:
        builder = HistoryBuilder("play")
        for row, ends in self.events:
            txn = self.txns[row]
            if ends:
                builder.add("ok" if txn.ok else "fail", txn.process, txn.mops)
            else:
                asked = [(f, key, None if f == "r" else value) for f, key, value in txn.mops]
                steps = list(range(len(asked)))
                logical = [key % 10 for _, key, _ in asked]
                builder.add("invoke", txn.process, asked, txn=txn.template, steps=steps, logical=logical)
        return builder.finish()


def played(seed: int, *, snapshot: bool) -> Play:
    """A small database with snapshot isolation, or one that reads whatever is committed."""
    draws = random.Random(seed)
    keys = draws.randint(2, 5)
    # a key of the workload has two generations, key and key + 10
    pool = [key + 10 * draws.randint(0, 1) for key in range(keys)]
    shapes = [
        (f"t{number}", [draws.choice(["r", "append"]) for _ in range(draws.randint(1, 3))])
        for number in range(draws.randint(1, 3))
    ]
    clients = draws.randint(2, 4)
    committed: dict[int, list[tuple[int, int]]] = {}
    txns: list[Txn] = []
    events: list[tuple[int, bool]] = []
    running: list[tuple[int, int, list[tuple[str, int, object]], dict[int, list[int]]] | None] = [
        None
    ] * clients
    clock, value = 0, 0
    left = draws.randint(3, 14)
    while left or any(each is not None for each in running):
        process = draws.randrange(clients)
        now = running[process]
        if now is None:
            if not left:
                continue
            left -= 1
            name, fs = draws.choice(shapes)
            todo: list[tuple[str, int, object]] = [(f, draws.choice(pool), None) for f in fs]
            events.append((len(txns), False))
            running[process] = (len(txns), clock, todo, {})
            txns.append(Txn(process, name, []))
            continue
        row, began, todo, wrote = now
        txn = txns[row]
        if todo:
            f, key, _ = todo.pop(0)
            if f == "r":
                visible = began if snapshot else clock
                seen = [element for at, element in committed.get(key, []) if at <= visible]
                txn.mops.append(("r", key, tuple(seen + wrote.get(key, []))))
            else:
                value += 1
                wrote.setdefault(key, []).append(value)
                txn.mops.append(("append", key, value))
            continue
        conflict = any(at > began for key in wrote for at, _ in committed.get(key, []))
        txn.ok = not (snapshot and conflict)
        if txn.ok:
            clock += 1
            for key, elements in wrote.items():
                committed.setdefault(key, []).extend((clock, element) for element in elements)
        events.append((row, True))
        running[process] = None
    last = len(txns)
    final: list[tuple[str, int, object]] = [
        ("r", key, tuple(element for _, element in elements)) for key, elements in sorted(committed.items())
    ]
    return Play([*txns, Txn(99, "final", final)], [*events, (last, False), (last, True)])
