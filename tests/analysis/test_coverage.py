"""What a history covers, by hand and counted one by one."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from plays import played
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.coverage import (
    CoverageAnalyzer,
    DangerousStructure,
    Feature,
    Refusal,
    StepDependency,
    TemplateStep,
    coverage,
)
from txfuzz.analysis.dependencies.edges import KINDS, RW, Dependencies
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import FAIL, FINAL_READ, NIL, OK, READ, History


def write_skew(outcome: str = "ok") -> History:
    """T0 reads key 1 and appends to 2; T1, which T0 overlaps, reads 2 and appends to 1."""
    builder = HistoryBuilder("skew")
    builder.add("invoke", 0, [("r", 1, None), ("append", 2, 1)], txn="left", steps=[0, 1], logical=[1, 2])
    builder.add("invoke", 1, [("r", 2, None), ("append", 1, 1)], txn="right", steps=[0, 1], logical=[2, 1])
    builder.add("ok", 0, [("r", 1, ()), ("append", 2, 1)])
    builder.add(outcome, 1, [("r", 2, ()), ("append", 1, 1)])
    builder.add("invoke", 2, [("r", 1, None), ("r", 2, None)], txn=FINAL_READ)
    builder.add("ok", 2, [("r", 1, (1,) if outcome == "ok" else ()), ("r", 2, (1,))])
    return builder.finish()


def test_write_skew_is_two_anti_dependencies_that_make_structures() -> None:
    reads, appends = TemplateStep("left", 0), TemplateStep("left", 1)
    other_reads, other_appends = TemplateStep("right", 0), TemplateStep("right", 1)
    assert coverage(dependencies(write_skew())) == {
        StepDependency("rw", reads, other_appends, "overlaps", True): 1,
        StepDependency("rw", other_reads, appends, "overlapped by", True): 1,
        DangerousStructure(reads, other_appends, other_reads, appends, True): 1,
        DangerousStructure(other_reads, appends, reads, other_appends, False): 1,
    }


def test_a_refused_transaction_is_told_with_the_one_beside_it() -> None:
    seen = coverage(dependencies(write_skew("fail")))
    # both of its steps met one of the other's
    assert seen == {
        Refusal(TemplateStep("right", 0), TemplateStep("left", 1)): 1,
        Refusal(TemplateStep("right", 1), TemplateStep("left", 0)): 1,
    }
    assert {str(each) for each in seen} == {
        "right.0 was refused beside left.1",
        "right.1 was refused beside left.0",
    }


def test_the_analyzer_tells_it_in_words_and_judges_nothing() -> None:
    part = CoverageAnalyzer().analyze(write_skew(), "serializable")
    assert (part.verdict.value, part.anomalies, part.fields) == ("valid", (), {})
    assert {name: part.data[name] for name in ("dependencies", "structures", "refusals")} == {
        "dependencies": 2,
        "structures": 2,
        "refusals": 0,
    }
    assert "rw from left.0 to right.1, which it overlaps, on a key without versions" in part.data["seen"]


def test_what_does_not_overlap_is_not_covered() -> None:
    builder = HistoryBuilder("serial")
    builder.add("invoke", 0, [("append", 1, 1)])
    builder.add("ok", 0, [("append", 1, 1)])
    builder.add("invoke", 1, [("r", 1, None)])
    builder.add("ok", 1, [("r", 1, (1,))])
    assert not coverage(dependencies(builder.finish()))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.booleans(), st.booleans())
def test_counted_one_by_one(seed: int, snapshot: bool, lists: bool) -> None:
    play = played(seed, snapshot=snapshot)
    history = (play if lists else play.registers()).history()
    edges = dependencies(history)
    assert coverage(edges) == one_by_one(history, edges)


def one_by_one(history: History, edges: Dependencies) -> Counter[Feature]:
    begin, end = history.invoke_at.tolist(), history.complete_at.tolist()
    row_of = [row for row in range(len(history)) for _ in range(history.mops[row], history.mops[row + 1])]

    def overlapped(one: int, other: int) -> bool:
        return bool(begin[one] < end[other] and begin[other] < end[one])

    def step(mop: int) -> TemplateStep:
        return TemplateStep(history.templates[history.template[row_of[mop]]], int(history.mop_step[mop]))

    def relation(one: int, other: int) -> str:
        if begin[one] < begin[other]:
            return "overlaps" if end[one] < end[other] else "contains"
        return "during" if end[one] < end[other] else "overlapped by"

    seen: Counter[Feature] = Counter()
    anti = []
    for kind, one, other in zip(edges.kind, edges.source_mop, edges.target_mop, strict=True):
        source, target = row_of[one], row_of[other]
        if overlapped(source, target):
            assert history.type[source] == history.type[target] == OK
            first = kind == RW and history.mop_value[one] == NIL
            seen[StepDependency(KINDS[kind], step(one), step(other), relation(source, target), first)] += 1
            if kind == RW:
                anti.append((int(one), int(other)))
    for (one, entered), (left, last) in product(anti, anti):
        if row_of[entered] == row_of[left]:
            ends = [end[row_of[mop]] for mop in (one, entered, last)]
            structure = (step(one), step(entered), step(left), step(last))
            seen[DangerousStructure(*structure, ends[2] <= min(ends))] += 1
    for row, other_row in product(range(len(history)), repeat=2):
        if history.type[row] == FAIL and row != other_row and overlapped(row, other_row):
            own, others = by_key(history, row), by_key(history, other_row)
            for key in own.keys() & others.keys():
                if {history.mop_f[own[key]], history.mop_f[others[key]]} != {READ}:
                    seen[Refusal(step(own[key]), step(others[key]))] += 1
    return seen


def by_key(history: History, row: int) -> dict[int, int]:
    mops = range(history.mops[row], history.mops[row + 1])
    reads = {int(history.mop_key[mop]): mop for mop in reversed(mops) if history.mop_f[mop] == READ}
    writes = {int(history.mop_key[mop]): mop for mop in reversed(mops) if history.mop_f[mop] != READ}
    return reads | writes
