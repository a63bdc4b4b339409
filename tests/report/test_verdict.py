"""The verdict in one sentence, fair to the database."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.report.verdict import against, verdict_sentence

Given: TypeAlias = tuple[AnalysisResult, str | None, str | None]


def found(*types: str, expect: str = "serializable", all_types: tuple[str, ...] = ()) -> AnalysisResult:
    return AnalysisResult(
        "h.edn", Verdict.INVALID, expect, anomaly_types=types, all_types=tuple(sorted({*types, *all_types}))
    )


def nothing(*all_types: str, expect: str = "serializable") -> AnalysisResult:
    return AnalysisResult("h.edn", Verdict.VALID, expect, all_types=all_types)


def unknown(expect: str, reason: str, *all_types: str) -> AnalysisResult:
    return AnalysisResult("h.edn", Verdict.UNKNOWN, expect, reason, all_types=all_types)


BLAME, NO_BUG = "the database broke its promise", "not a database bug"

# The result, the isolation level in the database's words, the model that it promises.
BROKEN = {
    "the promise rules it out": (found("G-single-item"), "REPEATABLE READ", "snapshot-isolation"),
    "the promise rules out one of two": (
        found("G2-item", "lost-update"), "repeatable read", "snapshot-isolation",
    ),
    "the level bears the name of its model": (found("G2-item"), "serializable", "serializable"),
    "the level in capitals": (found("G2-item"), "SERIALIZABLE", "serializable"),
    "less was expected than is promised": (
        nothing("G2-item", expect="read-committed"), "serializable", "serializable",
    ),
    "no verdict hides it": (
        unknown("strict-serializable", "undecided", "G1a", "G2-item"), "read committed", "read-committed",
    ),
    "a level called repeatable read promises Adya's": (
        found("G2-item"), "repeatable read", "repeatable-read",
    ),
}  # fmt: skip
ALLOWED = {
    "the promise allows it": (found("G2-item"), "repeatable read", "snapshot-isolation"),
    "the level has no name": (found("G2-item"), None, "read-committed"),
    "repeatable read as expected is Adya's": (
        found("G2-item", expect="repeatable-read"), "repeatable read", "snapshot-isolation",
    ),
    "a rule of an analyzer is broken, too": (
        found("G2-item", "stale-read"), "snapshot", "snapshot-isolation",
    ),
}  # fmt: skip
NOBODY = {
    "no promise": (found("G1a", "G1b", "G1c"), None, None),
    "nothing found": (nothing(), "serializable", "serializable"),
    "found and allowed": (
        nothing("G2-item", expect="snapshot-isolation"), "repeatable read", "snapshot-isolation",
    ),
    "no verdict": (
        unknown("serializable", "vacuous: nothing committed"), "serializable", "serializable",
    ),
    "a type of another analyzer": (found("negative-balance"), "repeatable read", "snapshot-isolation"),
    "a type of another analyzer at read committed": (found("stale-read"), "read committed", "read-committed"),
    "an analyzer's reason": (
        AnalysisResult("h.edn", Verdict.INVALID, "serializable", "bank: money was lost"), None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("given", BROKEN.values(), ids=BROKEN)
def test_a_broken_promise(given: Given, snapshot: SnapshotAssertion) -> None:
    said = verdict_sentence(*given)
    assert BLAME in said
    assert NO_BUG not in said
    assert said == snapshot


@pytest.mark.parametrize("given", ALLOWED.values(), ids=ALLOWED)
def test_what_the_promise_allows_is_no_bug(given: Given, snapshot: SnapshotAssertion) -> None:
    said = verdict_sentence(*given)
    assert BLAME not in said
    assert said == snapshot


@pytest.mark.parametrize("given", NOBODY.values(), ids=NOBODY)
def test_nothing_is_said_about_the_database(given: Given, snapshot: SnapshotAssertion) -> None:
    said = verdict_sentence(*given)
    assert "promise" not in said
    assert NO_BUG not in said
    assert said == snapshot


@pytest.mark.parametrize(
    ("type", "promised", "broken"),
    [
        ("G2-item", "serializable", True),
        ("G2-item", "snapshot-isolation", False),
        ("G-nonadjacent-item", "snapshot-isolation", True),
        ("lost-update", "snapshot-isolation", True),
        ("lost-update", "read-committed", False),
        ("G1a", "read-committed", True),
        ("G1a", "read-uncommitted", False),
        ("G2-item-realtime", "serializable", False),
        ("G2-item-realtime", "strict-serializable", True),
    ],
)
def test_promises(type: str, promised: str, broken: bool) -> None:
    assert against(found(type), promised) == ((type,) if broken else ())
    said = verdict_sentence(found(type, expect="strict-serializable"), "some level", promised)
    assert (BLAME in said) == broken
    assert (NO_BUG in said) != broken
