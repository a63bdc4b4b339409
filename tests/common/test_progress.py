"""How far work is, and how long it still takes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from txfuzz import analyze_history
from txfuzz.analysis.checker.steps import NEAR_CYCLES, READING, SHARES
from txfuzz.common.progress import Estimate, come_to, is_watched, watched_by
from txfuzz.history.reader import read_history

STEPS = {"first": 0.5, "second": 0.25, "third": 0.25}


def test_nobody_watches_as_a_rule() -> None:
    assert not is_watched()
    come_to("first", 0.5)
    seen: list[tuple[str, float]] = []
    with watched_by(lambda step, share: seen.append((step, share))):
        assert is_watched()
        come_to("first", 0.5)
    assert not is_watched()
    assert seen == [("first", 0.5)]


def test_an_estimate_follows_what_a_step_says() -> None:
    estimate = Estimate(STEPS, 100.0).at(100.0, "first", 0.0)
    assert estimate.left(100.1) is None, "too early to tell"
    estimate = estimate.at(110.0, "first", 0.5)
    assert estimate.share(110.0) == pytest.approx(0.25)
    assert estimate.left(110.0) == pytest.approx(30.0)


def test_an_estimate_of_a_step_that_says_nothing_goes_by_the_steps_before() -> None:
    estimate = Estimate(STEPS, 0.0).at(0.0, "first", 0.0).at(20.0, "second", 0.0)
    assert estimate.share(20.0) == pytest.approx(0.5)
    assert estimate.share(25.0) == pytest.approx(0.625), "it should take 10 seconds"
    assert estimate.left(25.0) == pytest.approx(15.0)
    assert estimate.share(1000.0) < 0.75, "it is not done before it says so"


def test_an_estimate_may_begin_in_the_middle() -> None:
    estimate = Estimate(STEPS, 0.0).at(0.0, "second", 0.0)
    assert estimate.left(5.0) is None
    estimate = estimate.at(10.0, "third", 0.0)
    assert estimate.left(10.0) == pytest.approx(10.0)


@pytest.mark.parametrize("name", ["h.edn", "h.edn.gz"])
def test_an_analysis_tells_its_steps_in_order(name: str, tmp_path: Path) -> None:
    line = b"{:index %d, :type :%s, :process 0, :f :txn, :value [[:append 1 %d]]}\n"
    text = b"".join(line % (2 * at, b"invoke", at) + line % (2 * at + 1, b"ok", at) for at in range(20_000))
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    told: list[tuple[str, float]] = []
    with watched_by(lambda step, share: told.append((step, share))):
        analyze_history(read_history(tmp_path / name))
    assert list(dict.fromkeys(step for step, _ in told)) == list(SHARES)
    shares = [share for step, share in told if step == READING]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 2, "not only at its ends"
    assert told[-1] == (NEAR_CYCLES, 0.0)


def test_the_shares_of_an_analysis_are_all_of_it() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
