"""The verdict in one sentence, fair to the database."""

from __future__ import annotations

import pytest

from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.report.verdict import against, verdict_sentence


def found(*types: str, expect: str = "serializable", all_types: tuple[str, ...] = ()) -> AnalysisResult:
    return AnalysisResult(
        "h.edn", Verdict.INVALID, expect, anomaly_types=types, all_types=tuple(sorted({*types, *all_types}))
    )


def nothing(*all_types: str, expect: str = "serializable") -> AnalysisResult:
    return AnalysisResult("h.edn", Verdict.VALID, expect, all_types=all_types)


def test_an_anomaly_that_the_promise_allows_is_no_bug() -> None:
    said = verdict_sentence(found("G2-item"), "repeatable read", "snapshot-isolation")
    assert said == (
        "Found G2-item, which contradicts serializable; the isolation level repeatable read promises "
        "snapshot-isolation, which allows G2-item: this is no bug of the database, but an application "
        "that needs serializable is not safe here."
    )


def test_an_anomaly_that_the_promise_rules_out_is_a_broken_promise() -> None:
    said = verdict_sentence(found("G-single-item"), "REPEATABLE READ", "snapshot-isolation")
    assert said == (
        "Found G-single-item, which contradicts serializable: the database broke its promise, for the "
        "isolation level REPEATABLE READ promises snapshot-isolation, which does not allow G-single-item."
    )


def test_only_what_contradicts_the_promise_is_held_against_the_database() -> None:
    said = verdict_sentence(found("G2-item", "lost-update"), "repeatable read", "snapshot-isolation")
    assert "Found G2-item and lost-update, which contradict serializable:" in said
    assert said.endswith("which does not allow lost-update.")
    assert "no bug" not in said


@pytest.mark.parametrize("isolation", ["serializable", "SERIALIZABLE"])
def test_a_level_that_bears_the_name_of_its_model(isolation: str) -> None:
    said = verdict_sentence(found("G2-item"), isolation, "serializable")
    assert said == (
        "Found G2-item, which contradicts serializable: the database broke its promise, for the "
        f"isolation level {isolation} does not allow G2-item."
    )


def test_without_a_promise_nothing_is_said_about_the_database() -> None:
    said = verdict_sentence(found("G1a", "G1b", "G1c"), None, None)
    assert said == "Found G1a, G1b and G1c, which contradict serializable."


def test_a_promise_without_the_name_of_the_level() -> None:
    said = verdict_sentence(found("G2-item"), None, "read-committed")
    assert "the isolation level promises read-committed, which allows G2-item: this is no bug" in said


def test_nothing_found() -> None:
    said = verdict_sentence(nothing(), "serializable", "serializable")
    assert said == "Nothing in this history contradicts serializable."


def test_what_was_found_and_is_allowed_is_not_kept_back() -> None:
    said = verdict_sentence(
        nothing("G2-item", expect="snapshot-isolation"), "repeatable read", "snapshot-isolation"
    )
    assert (
        said == "Nothing in this history contradicts snapshot-isolation; G2-item was found, which it allows."
    )


def test_a_broken_promise_is_told_also_where_less_was_expected() -> None:
    said = verdict_sentence(nothing("G2-item", expect="read-committed"), "serializable", "serializable")
    assert said == (
        "Nothing contradicts read-committed, but G2-item was found: the database broke its promise, for the "
        "isolation level serializable does not allow G2-item."
    )


def test_no_verdict_gives_the_reason() -> None:
    result = AnalysisResult("h.edn", Verdict.UNKNOWN, "serializable", "vacuous: nothing committed")
    assert (
        verdict_sentence(result, "serializable", "serializable") == "No verdict: vacuous: nothing committed."
    )


def test_no_verdict_does_not_hide_a_broken_promise() -> None:
    result = AnalysisResult(
        "h.edn", Verdict.UNKNOWN, "strong-serializable", "undecided", all_types=("G1a", "G2-item")
    )
    said = verdict_sentence(result, "read committed", "read-committed")
    assert said.startswith("No verdict against strong-serializable, but G1a was found: the database broke")


def test_repeatable_read_as_expected_is_adyas() -> None:
    said = verdict_sentence(
        found("G2-item", expect="repeatable-read"), "repeatable read", "snapshot-isolation"
    )
    assert said.startswith(
        "Found G2-item, which contradicts repeatable-read (Adya's PL-2.99); the isolation level"
    )
    assert "an application that needs repeatable-read is not safe here" in said


def test_a_level_called_repeatable_read_that_promises_adyas() -> None:
    said = verdict_sentence(found("G2-item"), "repeatable read", "repeatable-read")
    assert said.endswith("for the isolation level repeatable read does not allow G2-item.")


def test_the_types_of_other_analyzers_are_not_said_to_be_allowed() -> None:
    said = verdict_sentence(found("negative-balance"), "repeatable read", "snapshot-isolation")
    assert said == "Found negative-balance, to which an analyzer objects."
    result = AnalysisResult("h.edn", Verdict.INVALID, "serializable", "bank: money was lost")
    assert verdict_sentence(result, None, None) == "Not serializable: bank: money was lost."


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
    said = verdict_sentence(found(type, expect="strong-serializable"), "some level", promised)
    assert ("the database broke its promise" in said) == broken
    assert ("no bug of the database" in said) != broken


def test_what_breaks_a_rule_of_an_analyzer_is_not_held_against_the_model() -> None:
    assert verdict_sentence(found("stale-read"), "read committed", "read-committed") == (
        "Found stale-read, to which an analyzer objects."
    )
    said = verdict_sentence(found("G2-item", "stale-read"), "snapshot", "snapshot-isolation")
    assert (
        said == "Found G2-item, which contradicts serializable, and stale-read, to which an analyzer objects."
    )
