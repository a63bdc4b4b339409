"""A history that is read while it is written is the one that is read afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compare_histories import differences
from history_lines import OTHERS, OURS, mutated
from txfuzz.analysis.analyze import analyze_history
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.errors import HistoryError
from txfuzz.execution.run import execute
from txfuzz.history import tail as following
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.history.tail import BATCH, HistoryTail
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz_postgres.adapter import PostgresAdapter

SMALL = 700  # bytes: a few lines
COMMENT = b";" + b" " * (SMALL - 60) + b"\n"


@pytest.fixture(scope="module")
def small_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "BATCH", SMALL)
        yield


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "history.edn"


def written(path: Path, pieces: Sequence[bytes], ahead: HistoryTail) -> int:
    """Write piece after piece and let it be read; how often some was."""
    times = 0
    with open(path, "wb", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
            times += ahead.read_some(file.tell())
    return times


def outcome(path: Path, ahead: HistoryTail | None = None) -> History | str:
    try:
        return read_history(path) if ahead is None else ahead.history()
    except HistoryError as error:
        return str(error)


def assert_same(path: Path, ahead: HistoryTail) -> None:
    one, other = outcome(path, ahead), outcome(path)
    if isinstance(one, History) and isinstance(other, History):
        assert differences(one, other, ()) == []
    else:
        assert one == other


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 1 << 32).map(mutated), min_size=1, max_size=4), st.integers(1, 9))
@example([b"".join(OURS)[:-3], b"".join(OTHERS)], 1)
@example(
    [COMMENT, b"{:type :invoke, :value [[:r 1 nil]\n", COMMENT, b"]}\n", *OURS], 1
)  # two lines, two batches
@example([COMMENT, b"{:type :invoke, :value [[:r 1 nil]\n", COMMENT, *OURS], 1)
@example([b'{:type :ok, :process 1, :value [[:append 1 "' + b"x" * 2 * SMALL + b'"]]}\n', *OURS], 2)
def test_whatever_is_written(small_batches: None, texts: list[bytes], lines: int) -> None:
    """Whole lines at a time, which is how it is recorded; what stands in them may be anything."""
    whole = b"".join(texts).splitlines(keepends=True)
    pieces = [b"".join(whole[at : at + lines]) for at in range(0, len(whole), lines)]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "h.edn"
        ahead = HistoryTail(path)
        written(path, pieces, ahead)
        assert_same(path, ahead)


def test_batch_by_batch(small_batches: None, place: Path) -> None:
    ahead = HistoryTail(place)
    size = sum(map(len, OURS))
    times = written(place, OURS * 20, ahead)
    longest = max(map(len, OURS))
    assert 20 * size / (SMALL + longest) - 1 < times <= 20 * size / (SMALL - longest)
    assert_same(place, ahead)


def test_what_was_read_is_not_read_again(
    small_batches: None, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = HistoryTail(place)
    assert written(place, OURS * 20, ahead)
    monkeypatch.setattr(following, "read_history", lambda path: pytest.fail("anew"))
    assert ahead.history().operations == 20 * len(OURS)


def test_nothing_is_read_of_little(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BATCH", BATCH)
    ahead = HistoryTail(place)
    assert not written(place, OURS, ahead)
    assert_same(place, ahead)


def test_nothing_more_is_read_of_very_much(
    small_batches: None, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST", 5 * SMALL)
    ahead = HistoryTail(place)
    assert 0 < written(place, OURS * 20, ahead) <= 5
    assert_same(place, ahead)


def test_an_operation_that_no_batch_has_room_for_is_left_until_the_end(
    small_batches: None, place: Path
) -> None:
    ahead = HistoryTail(place)
    long = b'{:type :ok, :process 8, :value [[:append 1 "' + b"x" * 2 * SMALL + b'"]]}\n'
    written(place, [*OURS, long], ahead)
    assert not ahead.read_some(place.stat().st_size + SMALL)
    assert_same(place, ahead)


def test_another_file_in_its_place_is_the_one_that_counts(small_batches: None, place: Path) -> None:
    ahead = HistoryTail(place)
    assert written(place, OURS * 4, ahead)
    other = place.with_suffix(".other")
    other.write_bytes(b"".join(OTHERS))
    other.replace(place)
    assert_same(place, ahead)


def test_a_file_that_is_gone_is_missed(small_batches: None, place: Path) -> None:
    ahead = HistoryTail(place)
    assert written(place, OURS * 4, ahead)
    place.unlink()
    assert "No such file" in str(outcome(place, ahead))


def test_a_file_that_never_was_is_missed(small_batches: None, place: Path) -> None:
    ahead = HistoryTail(place)
    assert not ahead.read_some(10 * SMALL)
    assert "No such file" in str(outcome(place, ahead))


def test_no_file_stays_open(small_batches: None, place: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    ahead = HistoryTail(place)
    assert written(place, OURS * 4, ahead)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    ahead.history()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.server
def test_during_a_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real server, whose clients take turns: most of it is read by the time that they are done."""
    monkeypatch.setattr(following, "BATCH", BATCH)
    workload = read_workload(workload_path("example"), InstalledVocabulary(load_plugins()))
    ahead = HistoryTail(place)
    batches: list[int] = []

    def reading(written: int) -> bool:
        busy = ahead.read_some(written)
        batches.append(busy)
        return busy

    with PostgresAdapter().open(None) as database:
        execute(workload, database, place, isolation="repeatable read", reading=reading)
    assert sum(batches) >= place.stat().st_size / BATCH / 2
    assert_same(place, ahead)
    assert analyze_history(place, "snapshot-isolation").anomaly_types == ()
