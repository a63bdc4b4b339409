"""The checker says what the real Elle says, or the difference is one of those in the docs."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from elle_verdicts import (
    DUPLICATE_WRITES,
    FIRST_CANDIDATE,
    INFO_WRITES,
    REJECTED_FACTS,
    ROOT,
    SELECTION,
    SHARED,
    UNFINISHED_WRITER,
    UNWRITTEN_READ,
    difference,
    ours,
    recorded,
    selected_runs,
    shared_runs,
)
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.result import Verdict
from txfuzz.history.reader import read_history

SELECTED = [
    pytest.param(path, id=path.name.removesuffix(".verdicts.jsonl"))
    for path in sorted(SELECTION.glob("*.verdicts.jsonl"))
]
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the whole collection of histories is not here")

# One history of the selection for each class of differences, as docs/differences-from-elle.md names them.
SHOWN_BY = {
    UNWRITTEN_READ: ("handmade/la-read-unknown-value.edn", "handmade/rw-read-unknown.edn"),
    DUPLICATE_WRITES: ("handmade/la-dup-append-fail-retry.edn", "handmade/rw-dup-writes-read.edn"),
    UNFINISHED_WRITER: ("handmade/la-read-of-uncompleted.edn",),
    INFO_WRITES: ("handmade/rw-info-g1c.edn", "random/rw-01069.edn"),
    FIRST_CANDIDATE: ("random/la-00676.edn",),
    REJECTED_FACTS: ("random/rw-00251.edn",),
}


def differences(runs) -> list[tuple[str, str, str, tuple[str, ...], str | None]]:
    return [
        (f"{collection}/{elle.file}", elle.kind, elle.model, elle.options, difference(history, elle))
        for collection, elle, history in runs
    ]


@pytest.fixture(scope="module")
def selected() -> list[tuple[str, str, str, tuple[str, ...], str | None]]:
    return differences(selected_runs())


def known(runs: list[tuple[str, str, str, tuple[str, ...], str | None]]) -> list[object]:
    return [run for run in runs if run[-1] is not None and run[-1] not in SHOWN_BY]


def test_selection_agrees(selected) -> None:
    assert len(selected) >= 490
    assert known(selected) == []
    found = Counter(what for *_, what in selected)
    assert found[None] > 0.8 * len(selected)


@pytest.mark.parametrize("path", SELECTED)
def test_selection_covers_every_verdict(path) -> None:
    assert {elle.said.verdict for elle in recorded(path)} == {"valid", "invalid", "unknown"}


@pytest.mark.parametrize("what", SHOWN_BY)
def test_each_class_of_differences_is_shown_by_a_history_and_told_in_the_docs(what: str, selected) -> None:
    for file in SHOWN_BY[what]:
        assert what in [found for name, *_, found in selected if name == file]
        text = (ROOT / "docs" / "differences-from-elle.md").read_text()
        assert f"## {what}" in text
        assert file.rpartition("/")[2] in text


@needs_shared
def test_all_recorded_verdicts_agree() -> None:
    runs = differences(shared_runs())
    assert len(runs) == 7980
    assert known(runs) == []
    classes = Counter(what for *_, what in runs)
    assert classes[None] >= 7792
    # the verdict and the models ruled out may differ in these only
    assert classes[UNWRITTEN_READ] + classes[DUPLICATE_WRITES] + classes[INFO_WRITES] <= 67


def test_the_table_in_the_docs_counts_what_was_measured() -> None:
    text = (ROOT / "docs" / "agreement.md").read_text()
    rows = re.findall(r"^\| (?:handmade|random) \|.*\| (\d+) \| (\d+) \| .*$", text, re.MULTILINE)
    assert sum(int(of) for _, of in rows) == 7980
    assert f"{sum(int(agreed) for agreed, _ in rows)} of 7980 agreed" in text


@needs_shared
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
        ("huge-scc.edn.gz", "serializable", set(), ()),
        ("huge-scc.edn.gz", "snapshot-isolation", set(), ()),
        (
            "huge-scc.edn.gz",
            "strict-serializable",
            {"G-single-item-realtime"},
            ("strong-snapshot-isolation",),
        ),
    ],
)
def test_histories_that_elle_publishes(
    file: str, model: str, types: set[str], not_models: tuple[str, ...]
) -> None:
    result = check(read_history(SHARED / "elle" / file), model)
    assert result.verdict is (Verdict.INVALID if types else Verdict.VALID)
    assert set(result.anomaly_types) == types
    assert ours(result).not_models == not_models
    assert not result.truncated
