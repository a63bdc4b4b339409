"""Conformance of the heuristic, and what it proposes."""

from __future__ import annotations

from random import Random

from txfuzz import FeedbackResult, Verdict, Workload
from txfuzz.testing import HeuristicConformance

from txfuzz_example.heuristic import Example


class TestConformance(HeuristicConformance):
    heuristic = Example()


def test_nothing_changes_while_nothing_nearly_happened() -> None:
    feedback = FeedbackResult(0, Verdict.VALID, transactions=10, committed=10)
    assert Example().propose(feedback, Workload("w", (), ()), Random(0)) == ()
