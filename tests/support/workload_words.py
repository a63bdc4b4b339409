"""A small vocabulary for tests of workload files: one real adapter, a few plugin objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from txfuzz.analysis.checker.anomaly_types import check_anomaly
from txfuzz.analysis.checker.consistency import canonical
from txfuzz.common.kind import Kind
from txfuzz.database.api import Capabilities
from txfuzz.errors import UsageError, WorkloadError, did_you_mean
from txfuzz.workload.model import Workload
from txfuzz.workload.template import Template
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.faults import FAULTS
from txfuzz_postgres.replicas.faults import STANDBY_FAULTS
from txfuzz_templates import txfuzz_register_analyzers, txfuzz_register_templates


@dataclass(frozen=True)
class PlainAdapter:
    """Lists only, no locks, no raw SQL."""

    name: ClassVar[str] = "plain"
    about: ClassVar[str] = ""

    password: str | None = None
    replica: str | None = None
    size: int = field(default=1, metadata={"least": 1})

    def capabilities(self) -> Capabilities:
        return Capabilities({"SNAPSHOT": "snapshot-isolation"}, "SNAPSHOT", frozenset({Kind.LIST_APPEND}))


@dataclass(frozen=True)
class ElleLike:
    name: ClassVar[str] = "elle"


@dataclass(frozen=True)
class HotKeys:
    name: ClassVar[str] = "hot-keys"
    max_keys: int = field(default=4, metadata={"least": 2})


@dataclass(frozen=True)
class Demanding:
    name: ClassVar[str] = "demanding"
    needed: int


SKEW_PAIR = Template(
    "skew_pair",
    "reads two keys and appends to the second",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "a"}},
        {"f": {"param": "f"}, "key": {"choice": {"from": {"param": "keys"}}, "distinct_from": ["a"]}},
    ),
    {"keys": None, "f": "append"},
)

_KNOWN: Mapping[str, Mapping[str, Any]] = {
    "adapter": {"postgres": PostgresAdapter, "plain": PlainAdapter},
    "analyzer": {"elle": ElleLike, **{each.name: each for each in txfuzz_register_analyzers()}},
    "fault": {fault.name: fault for fault in (*FAULTS, *STANDBY_FAULTS)},
    "heuristic": {"hot-keys": HotKeys, "demanding": Demanding},
    "template": {"skew_pair": SKEW_PAIR, **{each.name: each for each in txfuzz_register_templates()}},
}


class Words:
    """See txfuzz.workload.vocabulary.Vocabulary."""

    def find(self, kind: str, name: str) -> Any:
        known = _KNOWN[kind]
        if name not in known:
            raise UsageError(f"no {kind} {name!r} is installed: {did_you_mean(name, known)}")
        return known[name]

    def check_model(self, name: str) -> None:
        canonical(name)

    def check_anomaly(self, name: str) -> None:
        check_anomaly(name)


def parse(text: str, source: str = "w.yaml") -> Workload:
    return parse_workload(text, source, Words())


STEPS = """\
version: 1
workload:
  transactions:
    - name: one
      steps:
"""


def steps(*lines: str, database: str = "") -> str:
    """A workload of one transaction with these steps."""
    text = "".join(f"        - {line}\n" for line in lines)
    return f"{STEPS}{text}" if not database else f"{STEPS}{text}database: {database}\n"


def complaint(marked: str) -> str:
    """The error about this text, without its position, which must be where the ¦ is."""
    before, mark, after = marked.partition("¦")
    assert mark
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    with pytest.raises(WorkloadError) as caught:
        parse(before + after)
    message = str(caught.value)
    place, sentence = f"w.yaml:{line}:{column}: ", message.split(": ", 1)[1]
    assert message == place + sentence
    assert "\n" not in message
    return sentence
