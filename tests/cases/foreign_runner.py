"""A runner of another make: reads the workload, simulates a snapshot-isolated store, writes Elle's EDN.

It names no transactions, knows nothing of replays and uses the keys of the workload as they are.
"""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path
from typing import Any

import yaml

Mop = tuple[str, int, Any]


class History:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, kind: str, process: int, mops: list[Mop]) -> None:
        value = " ".join(f"[:{f} {key} {self.edn(value)}]" for f, key, value in mops)
        at = len(self.lines)
        self.lines.append(
            f"{{:index {at}, :type :{kind}, :process {process}, :time {at}, :f :txn, :value [{value}]}}"
        )

    def edn(self, value: Any) -> str:
        if isinstance(value, list):
            return f"[{' '.join(map(str, value))}]"
        return "nil" if value is None else str(value)


def chosen(steps: list[Any], draws: random.Random, values: list[int]) -> list[Mop]:
    names: dict[str, int] = {}
    mops: list[Mop] = []
    for step in steps:
        key = step["key"]
        if isinstance(key, dict) and "ref" in key:
            number = names[key["ref"]]
        elif isinstance(key, dict):
            choice = key["choice"]
            pool = choice.get("from") or range(choice["range"][0], choice["range"][1] + 1)
            taken = {names[name] for name in key.get("distinct_from", ())}
            number = draws.choice([each for each in pool if each not in taken])
            if "as" in key:
                names[key["as"]] = number
        else:
            number = key
        if step["f"] == "append":
            values.append(len(values) + 1)
        mops.append((step["f"], number, values[-1] if step["f"] == "append" else None))
    return mops


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    assert os.environ["HISTORY_OUT"] == str(arguments.out)
    workload = yaml.safe_load(arguments.config.read_text())
    draws = random.Random(workload.get("seed", 0))
    asked = workload["workload"]
    steps = {each["name"]: each["steps"] for each in asked["transactions"]}
    mix = {each["txn"]: each["weight"] for each in asked["mix"]}
    history, values, count = History(), [0], 0
    store: dict[int, list[int]] = {}
    while count < 300:
        clients = range(workload["scheduling"]["clients"])
        names = draws.choices(list(mix), list(mix.values()), k=len(clients))
        batch = [
            (client, chosen(steps[name], draws, values)) for client, name in zip(clients, names, strict=True)
        ]
        count += len(batch)
        seen = {key: list(elements) for key, elements in store.items()}
        for client, mops in batch:
            history.add("invoke", client, mops)
        written: set[int] = set()
        for client, mops in batch:
            writes = {key for f, key, _ in mops if f == "append"}
            if writes & written:
                history.add("fail", client, mops)
                continue
            written |= writes
            own: dict[int, list[int]] = {}
            done: list[Mop] = []
            for f, key, value in mops:
                if f == "append":
                    own.setdefault(key, []).append(value)
                done.append((f, key, value if f == "append" else seen.get(key, []) + own.get(key, [])))
            for key, elements in own.items():
                store.setdefault(key, []).extend(elements)
            history.add("ok", client, done)
    arguments.out.write_text("\n".join(history.lines) + "\n")


main()
