"""Turns: whose step is next, and that nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from txfuzz.execution.directed.turns import PATIENCE, Turns, Waits

# t1 reads, t2 reads and commits, t1 commits
ORDER = ((0, 0), (1, 0), (1, 1), (0, 1))


def turns(waits: Waits = dict, stopped: threading.Event | None = None) -> Turns:
    return Turns(ORDER, threading.Condition(), waits, (stopped or threading.Event()).is_set)


def come(to: Turns, place: int, step: int) -> threading.Thread:
    thread = threading.Thread(target=to.await_turn, args=(place, step), daemon=True)
    thread.start()
    return thread


def test_steps_come_in_the_order_of_the_schedule() -> None:
    play = turns()
    play.await_turn(0, 0)
    second = come(play, 1, 0)
    second.join(0.05)
    assert second.is_alive()  # the first step has not returned
    play.returned(0, 0)
    second.join(5)
    assert not second.is_alive()
    assert not play.waited


def test_who_waits_for_a_lock_lets_the_next_one_go_on() -> None:
    def waits() -> Mapping[int, frozenset[int]]:
        return {0: frozenset({1})}

    play = turns(waits)
    play.await_turn(0, 0)
    second = come(play, 1, 0)
    second.join(5)
    assert not second.is_alive()
    assert play.waited


def test_a_slow_step_waits_if_nobody_can_tell() -> None:
    play = turns(lambda: None)
    play.await_turn(0, 0)
    began = time.monotonic()
    play.await_turn(1, 0)
    assert time.monotonic() - began >= PATIENCE / 2
    assert play.waited


def test_an_aborted_transaction_has_no_further_turn() -> None:
    play = turns()
    play.await_turn(0, 0)
    play.returned(0, 0)
    play.await_turn(1, 0)
    play.ended(1)
    play.await_turn(0, 1)
    play.ended(0)


def test_the_end_of_a_transaction_wakes_those_that_waited_for_it() -> None:
    asked: list[int] = []

    def waits() -> Mapping[int, frozenset[int]]:
        asked.append(1)
        return {0: frozenset({1})} if len(asked) == 1 else {}

    play = turns(waits)
    play.await_turn(0, 0)  # waits for a lock of the second one
    play.await_turn(1, 0)
    play.returned(1, 0)
    play.await_turn(1, 1)
    play.ended(1)
    last = come(play, 0, 1)
    last.join(0.05)
    assert last.is_alive()  # its own first step comes first
    play.returned(0, 0)
    last.join(5)
    assert not last.is_alive()


def test_the_end_of_the_run_ends_all_waiting() -> None:
    stopped = threading.Event()
    play = turns(stopped=stopped)
    last = come(play, 0, 1)
    last.join(0.05)
    assert last.is_alive()
    stopped.set()
    last.join(5)
    assert not last.is_alive()
