"""Our own heuristics pass the public conformance tests."""

from __future__ import annotations

from txfuzz.testing import HeuristicConformance
from txfuzz_heuristics.hot_keys import HotKeys
from txfuzz_heuristics.mix import Mix
from txfuzz_heuristics.scheduling import Scheduling
from txfuzz_heuristics.schema_init import SchemaInit


class TestHotKeys(HeuristicConformance):
    heuristic = HotKeys()


class TestMix(HeuristicConformance):
    heuristic = Mix()


class TestScheduling(HeuristicConformance):
    heuristic = Scheduling()


class TestSchemaInit(HeuristicConformance):
    heuristic = SchemaInit()
