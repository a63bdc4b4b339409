"""The checker says what the real Elle says, or the difference is one of those in the docs."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from elle_verdicts import (
    COLLECTIONS,
    DUPLICATE_WRITES,
    FIRST_CANDIDATE,
    INFO_WRITES,
    REJECTED_FACTS,
    ROOT,
    UNFINISHED_WRITER,
    UNWRITTEN_READ,
    all_runs,
    difference,
    ours,
    recorded,
)
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.result import Verdict
from txfuzz.history.reader import read_history

# Where a clone of jepsen-io/elle has its histories, to hold those against what its authors say of them.
PUBLISHED = os.environ.get("ELLE_HISTORIES")

# Histories that show each class of differences, as docs/explanation/differences-from-elle.md names them.
SHOWN_BY = {
    UNWRITTEN_READ: ("handmade/la-read-unknown-value.edn", "handmade/rw-read-unknown.edn"),
    DUPLICATE_WRITES: ("handmade/la-dup-append-fail-retry.edn", "handmade/rw-dup-writes-read.edn"),
    UNFINISHED_WRITER: ("handmade/la-read-of-uncompleted.edn",),
    INFO_WRITES: ("handmade/rw-info-g1c.edn", "random/rw-01069.edn"),
    FIRST_CANDIDATE: ("random/la-00676.edn",),
    REJECTED_FACTS: ("random/rw-00251.edn",),
}


@pytest.fixture(scope="module")
def runs() -> list[tuple[str, str | None]]:
    """Of each recorded run the history, as collection/file, and the class of the difference from Elle."""
    return [
        (f"{collection}/{elle.file}", difference(history, elle)) for collection, elle, history in all_runs()
    ]


def test_all_recorded_verdicts_agree(runs) -> None:
    assert len(runs) == 7980
    assert [run for run in runs if run[1] is not None and run[1] not in SHOWN_BY] == []
    classes = Counter(what for _, what in runs)
    assert classes[None] >= 7792
    # the verdict and the models ruled out may differ in these only
    assert classes[UNWRITTEN_READ] + classes[DUPLICATE_WRITES] + classes[INFO_WRITES] <= 67


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_verdict_is_among_those_recorded(collection: str) -> None:
    assert {elle.said.verdict for elle in recorded(collection)} == {"valid", "invalid", "unknown"}


@pytest.mark.parametrize("what", SHOWN_BY)
def test_each_class_of_differences_is_shown_by_a_history_and_told_in_the_docs(what: str, runs) -> None:
    text = (ROOT / "docs" / "explanation" / "differences-from-elle.md").read_text()
    assert f"## {what}" in text
    for file in SHOWN_BY[what]:
        assert (file, what) in runs
        assert file.rpartition("/")[2] in text


def test_the_table_in_the_docs_counts_what_was_measured() -> None:
    text = (ROOT / "docs" / "explanation" / "agreement.md").read_text()
    rows = re.findall(r"^\| (?:handmade|random) \|.*\| (\d+) \| (\d+) \| .*$", text, re.MULTILINE)
    assert sum(int(of) for _, of in rows) == 7980
    assert f"{sum(int(agreed) for agreed, _ in rows)} of 7980 agreed" in text


@pytest.mark.skipif(
    "ELLE_HISTORIES" not in os.environ, reason="ELLE_HISTORIES names no clone of Elle's histories"
)
@pytest.mark.parametrize(
    ("file", "model", "types", "not_models"),
    [
        ("paper-example.edn", "serializable", {"G-single-item"}, ("consistent-view", "repeatable-read")),
        (
            "si-without-g-single.edn",
            "strict-serializable",
            {"G-single-item-realtime", "G2-item"},
            ("repeatable-read", "strong-snapshot-isolation"),
        ),
        ("si-without-g-single.edn", "snapshot-isolation", set(), ()),
        ("huge-scc.edn", "serializable", set(), ()),
        ("huge-scc.edn", "snapshot-isolation", set(), ()),
        (
            "huge-scc.edn",
            "strict-serializable",
            {"G-single-item-realtime"},
            ("strong-snapshot-isolation",),
        ),
    ],
)
def test_histories_that_elle_publishes(
    file: str, model: str, types: set[str], not_models: tuple[str, ...]
) -> None:
    result = check(read_history(Path(PUBLISHED, file)), model)
    assert result.verdict is (Verdict.INVALID if types else Verdict.VALID)
    assert set(result.anomaly_types) == types
    assert ours(result).not_models == not_models
    assert not result.truncated
