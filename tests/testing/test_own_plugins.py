"""Our own analyzers, strategies and faults, and a template, pass the public conformance tests."""

from __future__ import annotations

from typing import ClassVar

import pytest

from txfuzz import Template
from txfuzz.analysis.dependencies.coverage import CoverageAnalyzer
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.feedback.learning.strategy import Learning
from txfuzz.feedback.strategies import Classic, OpenLoop, Static
from txfuzz.testing import (
    AnalyzerConformance,
    FaultConformance,
    MemoryAdapter,
    StrategyConformance,
    TemplateConformance,
)
from txfuzz.testing.history_samples import ANOMALOUS, CLEAN
from txfuzz_heuristics import txfuzz_register_heuristics, txfuzz_register_mutators
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.faults import CutCommit, KillServer, PauseServer, TerminateBackends, Timeouts

SAFE = PostgresAdapter(synchronous_commit="on", fsync=True)


class TestElle(AnalyzerConformance):
    analyzer = ElleAnalyzer()
    golden: ClassVar = {
        "serial": (CLEAN["of lists, one after the other"], "valid"),
        "lost update": (ANOMALOUS["with a lost update"], "invalid", "lost-update", "G-single-item"),
        "write skew": (ANOMALOUS["with a write skew"], "invalid", "G2-item"),
        "aborted read": (ANOMALOUS["with an aborted read"], "invalid", "G1a"),
        "registers": (ANOMALOUS["of registers with a lost update"], "invalid", "lost-update"),
    }


class TestCoverage(AnalyzerConformance):
    analyzer = CoverageAnalyzer()
    measures_only = True


class TestKillServerInMemory(FaultConformance):
    fault = KillServer(down=0.02)


class TestTerminateInMemory(FaultConformance):
    fault = TerminateBackends(share=0.5)


class TestPauseInMemory(FaultConformance):
    fault = PauseServer(seconds=0.05)


class TestPauseOneInMemory(FaultConformance):
    fault = PauseServer(whom="session", seconds=0.05)


class TestTimeoutsInMemory(FaultConformance):
    fault = Timeouts(seconds=0.05)


class TestCutCommitInMemory(FaultConformance):
    fault = CutCommit(connections=4)


@pytest.mark.server
class TestKillServer(FaultConformance):
    fault = KillServer(down=0.02)
    adapter = SAFE


@pytest.mark.server
class TestTerminateBackends(FaultConformance):
    fault = TerminateBackends()
    adapter = SAFE


@pytest.mark.flaky(reruns=2)
@pytest.mark.server
class TestPauseServer(FaultConformance):
    fault = PauseServer(seconds=0.05)
    adapter = SAFE


@pytest.mark.server
class TestTimeouts(FaultConformance):
    fault = Timeouts(seconds=0.05)
    adapter = SAFE


@pytest.mark.server
class TestCutCommit(FaultConformance):
    fault = CutCommit(connections=4)
    adapter = SAFE


SKEW = Template(
    "skew",
    "reads two keys and writes one",
    (
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "a"}},
        {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "b", "distinct_from": ["a"]}},
        {"f": "append", "key": {"ref": "a"}},
    ),
    {"keys": None},
)


class TestTemplate(TemplateConformance):
    template = SKEW
    arguments: ClassVar = {"keys": [1, 2]}
    finds: ClassVar = {"snapshot": "G2-item", "read committed": "lost-update"}


class TestTemplateOfWhichNothingIsSaid(TemplateConformance):
    @pytest.fixture
    def template(self) -> Template:
        return SKEW


class TestTemplateThatReads(TemplateConformance):
    template = Template("look", "reads a key", ({"f": "r", "key": {"choice": {"from": [1, 2]}}},))
    adapter = MemoryAdapter(latency=0.00005)


class TestClassic(StrategyConformance):
    strategy = Classic()
    heuristics: ClassVar = tuple(each() for each in txfuzz_register_heuristics())


class TestOpenLoop(StrategyConformance):
    strategy = OpenLoop()


class TestStatic(StrategyConformance):
    strategy = Static(clients=16, writes=8)


class TestLearning(StrategyConformance):
    strategy = Learning(patience=2)
    mutators: ClassVar = tuple(each() for each in txfuzz_register_mutators())
