"""Run directories for the tests of reports: campaigns against a database in memory."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Site
from txfuzz import run_campaign

WORKLOAD = """
version: 1
name: {name}
database: {{adapter: dictionary, isolation: {isolation}}}
expect: serializable
seed: 5
workload:
  transactions:
    - name: look
      steps:
        - {{f: r, key: {{choice: {{range: [1, 8]}}, as: a}}}}
        - {{f: r, key: {{choice: {{range: [1, 8]}}, as: b, distinct_from: [a]}}}}
        - {{f: append, key: {{ref: b}}}}
    - name: read
      steps:
        - {{f: r, key: {{choice: {{range: [1, 8]}}, as: a}}}}
scheduling: {{clients: 4, transactions: 300, barrier_every: 5}}
"""
# A workload that can have produced the histories below
MADE_BY = """
version: 1
name: {name}
database: {{adapter: dictionary, isolation: {isolation}}}
expect: serializable
seed: 5
workload:
  transactions:
    - name: look
      steps:
        - {{f: r, key: {{choice: {{range: [1, 8]}}, as: a}}}}
        - {{f: append, key: {{choice: {{range: [1, 8]}}, distinct_from: [a]}}}}
    - name: both
      steps:
        - {{f: r, key: {{choice: {{range: [1, 8]}}, as: a}}}}
        - {{f: r, key: {{choice: {{range: [1, 8]}}, distinct_from: [a]}}}}
    - name: read
      steps: [{{f: r, key: {{choice: {{range: [1, 8]}}}}}}]
    - name: writer
      steps:
        - {{f: append, key: {{choice: {{range: [1, 8]}}}}}}
        - {{f: append, key: {{choice: {{range: [1, 8]}}}}}}
    - name: left
      steps: [{{f: append, key: {{choice: {{range: [1, 8]}}}}}}]
    - name: right
      steps: [{{f: append, key: {{choice: {{range: [1, 8]}}}}}}]
scheduling: {{clients: 4, transactions: 300, barrier_every: 5}}
"""


@contextmanager
def third_plugin(path: Path) -> Iterator[None]:
    """The plugin of tests/third, installed temporarily; meanwhile campaigns draw no pictures."""
    path.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path))
        patch.setattr("txfuzz.campaign.iterations.steps.draw_graphs", lambda *_, **__: ())
        for name in [name for name in sys.modules if name.startswith("txfuzz_third")]:
            del sys.modules[name]
        Site(path).add_third()
        yield
    for name in [name for name in sys.modules if name.startswith("txfuzz_third")]:
        del sys.modules[name]


# (process, transaction, begin and end in microseconds, micro-operations as they ended)
SKEW = [
    (0, "look", 10, 300, "[:r 1 []] [:append 2 1]"),
    (1, "look", 40, 280, "[:r 2 []] [:append 1 1]"),
    (2, "read", 400, 450, "[:r 1 [1]]"),
    (3, "read", 410, 520, "[:r 2 [1]]"),
]
READ_SKEW = [
    (0, "writer", 10, 90, "[:append 1 1] [:append 2 1]"),
    (1, "both", 20, 80, "[:r 1 [1]] [:r 2 []]"),
    (2, "read", 400, 450, "[:r 2 [1]]"),
]
FORK = [
    (0, "left", 10, 90, "[:append 1 1]"),
    (1, "right", 15, 95, "[:append 2 1]"),
    (2, "both", 20, 80, "[:r 1 [1]] [:r 2 []]"),
    (3, "both", 25, 85, "[:r 2 [1]] [:r 1 []]"),
]
NEAR = [
    (0, "look", 10, 60, "[:r 1 []] [:append 2 1]"),
    (1, "look", 40, 100, "[:r 2 [1]] [:append 1 1]"),
    (2, "both", 200, 260, "[:r 1 [1]] [:r 2 [1]]"),
]
ABORTED = [
    (0, "writer", 10, 90, "[:append 1 7]", "fail"),
    (1, "read", 20, 100, "[:r 1 [7]]"),
]


def history_text(transactions: list[tuple[Any, ...]]) -> str:
    """An Elle history, in the order of the times."""
    events = []
    for process, name, start, end, mops, *ended in transactions:
        asked = re.sub(r"(\[:r \d+) \[[^\]]*\]", r"\1 nil", mops)
        events.append((start, f':invoke, :process {process}, :f :txn, :txn "{name}", :value [{asked}]'))
        result = ended[0] if ended else "ok"
        events.append((end, f":{result}, :process {process}, :f :txn, :value [{mops}]"))
    return "".join(
        f"{{:index {at}, :time {time * 1000}, :type {rest}}}\n"
        for at, (time, rest) in enumerate(sorted(events))
    )


def campaign(root: Path, name: str, iterations: int = 2) -> Path:
    """The run directory of a campaign that found nothing."""
    run_campaign(
        workload=_config(root, name, "locked"), iterations=iterations, output=root / name, max_graph_nodes=0
    )
    return root / name


def judged(root: Path, name: str, *histories: list[tuple[Any, ...]]) -> Path:
    """The run directory of a campaign whose histories are these."""
    for number, transactions in enumerate(histories):
        place = root / name / f"iter_{number:02d}"
        place.mkdir(parents=True)
        (place / "history.edn").write_text(history_text(transactions))
    config = _config(root, name, "dirty", MADE_BY)
    run_campaign(workload=config, iterations=len(histories), output=root / name, skip_run=True)
    return root / name


def _config(root: Path, name: str, isolation: str, workload: str = WORKLOAD) -> Path:
    config = root / f"{name}.yaml"
    config.write_text(workload.format(name=name, isolation=isolation))
    return config


def edit(path: Path, **fields: Any) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


class Page(HTMLParser):
    """The elements of a page; every element that must be closed is."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "img", "input", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a beginning"
        assert self.open.pop() == tag, f"</{tag}> in the wrong place"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & {*self.open}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def classes(self, tag: str) -> list[str]:
        return [attributes.get("class") or "" for name, attributes in self.elements if name == tag]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
