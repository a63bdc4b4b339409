"""The scheduler and the search, on actors with locks of a database that is a dictionary."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from math import comb

import pytest

from txfuzz.check.scheduling.schedule import Abandoned, in_a_circle
from txfuzz.check.scheduling.threads import Body, Stop, run_in_series, run_schedule
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.search import ScheduleSearch


class Locks:
    """Locks by name, each held until its holder lets go; who waits for whom is known, of those that are asked
    about."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holder: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        self._cancelled: set[str] = set()

    def take(self, who: str, lock: str) -> None:
        with self._changed:
            self._waiting[who] = lock
            while self._holder.get(lock, who) != who:
                self._changed.wait()
                if who in self._cancelled:
                    del self._waiting[who]
                    raise TimeoutError
            del self._waiting[who]
            self._holder[lock] = who

    def let_go(self, who: str) -> None:
        with self._changed:
            self._holder = {lock: holder for lock, holder in self._holder.items() if holder != who}
            self._changed.notify_all()

    def cancel(self, who: str) -> None:
        with self._changed:
            self._cancelled.add(who)
            self._changed.notify_all()

    def waits(self, names: Sequence[str]) -> Mapping[str, frozenset[str]]:
        with self._changed:
            waiting = {who: lock for who, lock in self._waiting.items() if who in names}
            return {
                who: frozenset({self._holder[lock]} & {*names})
                for who, lock in waiting.items()
                if self._holder.get(lock, who) != who
            }


def nobody(names: Sequence[str]) -> Mapping[str, frozenset[str]]:
    return {}


def counting(log: list[str], name: str, steps: int) -> Body:
    def body(stop: Stop) -> str:
        for number in range(steps):
            stop(number)
            log.append(name)
        return name

    return body


def run(schedule: str, **steps: int) -> tuple[str, Trace]:
    log: list[str] = []
    bodies = {name: counting(log, name, number) for name, number in steps.items()}
    trace = run_schedule(bodies, tuple(schedule), nobody, seconds=5)
    return "".join(log), trace


@pytest.mark.parametrize("schedule", ["abab", "aabb", "bbaa", "baab"])
def test_a_schedule_is_followed(schedule: str) -> None:
    log, trace = run(schedule, a=2, b=2)
    assert log == "".join(trace.schedule) == schedule
    assert {name: each.value for name, each in trace.ended.items()} == {"a": "a", "b": "b"}
    assert trace.stuck == ""


def test_behind_its_end_each_goes_on_to_its_own() -> None:
    assert run("ab", a=3, b=3)[0] == "abbbaa"
    assert run("", a=2, b=2)[0] == "aabb"
    assert run("bbbbba", a=2, b=2)[0] == "bbaa"  # entries of an actor that has ended are passed over


def test_what_could_have_gone_on_is_told() -> None:
    _, trace = run("ab", a=1, b=1)
    assert [[point.actor for point in step.ready] for step in trace.steps] == [["a", "b"], ["b"]]


def locking(locks: Locks, name: str, *wanted: str, log: list[str]) -> Body:
    def body(stop: Stop) -> None:
        for lock in wanted:
            stop(lock)
            locks.take(name, lock)
            log.append(f"{name}:{lock}")
        stop("commit")
        locks.let_go(name)

    return body


def test_who_waits_is_left_waiting_and_goes_on_when_let_go() -> None:
    for _ in range(20):
        locks, log = Locks(), list[str]()
        bodies = {
            "a": locking(locks, "a", "x", "y", log=log),
            "b": locking(locks, "b", "x", log=log),
        }
        trace = run_schedule(bodies, ("a", "b", "a", "a", "b"), locks.waits, seconds=5)
        assert log == ["a:x", "a:y", "b:x"]
        assert trace.schedule == ("a", "b", "a", "a", "b")
        assert [step.waited for step in trace.steps] == [False, True, False, False, False]
        assert trace.steps[1].waited_for == ("a",)
        assert [point.actor for point in trace.steps[2].ready] == ["a"]


def test_an_actor_that_hangs_is_named_and_ended() -> None:
    locks, log = Locks(), list[str]()
    bodies = {"a": locking(locks, "a", "x", "y", log=log), "b": locking(locks, "b", "y", "x", log=log)}
    started = time.monotonic()
    trace = run_schedule(bodies, ("a", "b", "a", "b"), locks.waits, seconds=0.3, cancel=locks.cancel)
    assert time.monotonic() - started < 2
    assert trace.stuck == "it did not end within 0.3 s: a was at y, b was at x"
    assert all(isinstance(each.error, TimeoutError) for each in trace.ended.values())


def test_who_never_comes_back_is_left_behind() -> None:
    release = threading.Event()

    def hangs(stop: Stop) -> None:
        stop("sleep")
        release.wait()

    trace = run_schedule({"a": hangs, "b": lambda stop: stop("go")}, ("a",), nobody, seconds=0.2)
    release.set()
    assert trace.stuck.startswith("it did not end within 0.2 s: a was at sleep")
    assert isinstance(trace.ended["b"].error, Abandoned)


def test_a_wait_that_nobody_tells_of_lets_the_others_go_on_once_the_time_is_up() -> None:
    locks, log = Locks(), list[str]()
    bodies = {"a": locking(locks, "a", "x", "y", log=log), "b": locking(locks, "b", "z", "x", log=log)}
    trace = run_schedule(bodies, ("a", "b", "b", "a"), nobody, seconds=0.3, cancel=locks.cancel)
    assert (trace.stuck, trace.still_open) == ("", ())
    assert trace.schedule == ("a", "b", "b", "a", "a", "b")
    assert [(step.chosen.actor, step.waited_for) for step in trace.steps if step.waited] == [("b", ())]
    assert log == ["a:x", "b:z", "a:y", "b:x"]


def test_a_wait_that_goes_on_when_all_others_have_ended_is_stuck() -> None:
    release = threading.Event()

    def hangs(stop: Stop) -> None:
        stop("sleep")
        release.wait()

    for schedule in (("b", "a"), ("b", "b", "a"), ("a",)):
        bodies = {"a": hangs, "b": counting([], "b", 2)}
        trace = run_schedule(bodies, schedule, nobody, seconds=0.2)
        assert trace.stuck.startswith("it did not end within 0.2 s: a was at sleep")
        assert trace.still_open == ()
    release.set()


def test_who_waits_for_a_lock_of_its_own_lets_the_others_go_on() -> None:
    lock, waiting, log = threading.Lock(), set[str](), list[str]()

    def body(name: str, pause: float = 0.0) -> Body:
        def run(stop: Stop) -> None:
            waiting.add(name)
            with lock:
                waiting.discard(name)
                stop(name)
                log.append(name)
                waiting.add(name)
                time.sleep(pause)
                waiting.discard(name)

        return run

    def stands(name: str) -> str | None:
        return name if name in waiting else None

    bodies = {"a": body("a"), "b": body("b", 0.5)}
    trace = run_schedule(bodies, ("b", "a", "b"), nobody, seconds=5, stands=stands)
    assert (trace.stuck, trace.schedule, log) == ("", ("a", "b"), ["a", "b"])
    assert trace.steps[0].let_go == ("b",), "it was waiting before its first point"


def test_nobody_runs_beside_another_before_the_first_point() -> None:
    inside = [0]

    def body(stop: Stop) -> None:
        for _ in range(3):
            inside[0] += 1
            time.sleep(0.002)
            assert inside[0] == 1
            inside[0] -= 1
            stop("go")

    trace = run_schedule(dict.fromkeys("abc", body), ("a", "b", "c", "a"), nobody, seconds=5)
    assert [each.error for each in trace.ended.values()] == [None] * 3


def test_what_code_raises_is_its_end_and_nobody_elses() -> None:
    def fails(stop: Stop) -> None:
        stop("go")
        raise ValueError("no")

    trace = run_schedule({"a": fails, "b": counting([], "b", 2)}, ("b", "a"), nobody, seconds=5)
    assert isinstance(trace.ended["a"].error, ValueError)
    assert trace.ended["b"].value == "b"


@pytest.mark.parametrize(("a", "b", "c"), [(2, 2, 0), (3, 2, 0), (4, 4, 0), (2, 2, 1)])
def test_the_search_follows_every_interleaving_once(a: int, b: int, c: int) -> None:
    seen: list[str] = []
    search = ScheduleSearch()
    for schedule in search:
        log, trace = run("".join(schedule), a=a, b=b, c=c)
        search.followed(schedule, trace)
        seen.append(log)
    assert len(seen) == len(set(seen)) == comb(a + b, a) * comb(a + b + c, c)
    assert set(seen) == {"".join(each) for each in permutations("a" * a + "b" * b + "c" * c)}
    assert search.exhausted


def switches(log: str) -> int:
    """Away from somebody who could have gone on."""
    return sum(
        log[number] != log[number - 1] and log[number - 1] in log[number:] for number in range(1, len(log))
    )


def test_few_preemptions_come_first_and_early_ones_before_late_ones() -> None:
    seen = []
    search = ScheduleSearch()
    for schedule in search:
        log, trace = run("".join(schedule), a=3, b=3)
        search.followed(schedule, trace)
        seen.append(log)
    assert [switches(log) for log in seen] == sorted(switches(log) for log in seen)
    assert seen[:4] == ["aaabbb", "bbbaaa", "abbbaa", "baaabb"]


def test_a_bound_is_kept() -> None:
    search = ScheduleSearch(most=3)
    for schedule in search:
        search.followed(schedule, run("".join(schedule), a=3, b=3)[1])
    assert not search.exhausted


def books(locks: Locks) -> Iterator[tuple[dict[str, str | None], Callable[[str], Body]]]:
    """Book a seat if it is free: read, then take the row's lock and write, and hold it until the commit."""
    while True:
        seat: dict[str, str | None] = {"by": None}

        def book(name: str, seat: dict[str, str | None] = seat) -> Body:
            def body(stop: Stop) -> bool:
                stop("select")
                free = seat["by"] is None
                if free:
                    stop("update")
                    locks.take(name, "seat")
                    seat["by"] = name
                stop("commit")
                locks.let_go(name)
                return free

            return body

        yield seat, book


def test_a_double_booking_is_found_with_the_first_preemption() -> None:
    locks, found = Locks(), None
    stages = books(locks)
    search = ScheduleSearch()
    for number, schedule in enumerate(search, 1):
        _, book = next(stages)
        trace = run_schedule({"a": book("a"), "b": book("b")}, schedule, locks.waits, seconds=5)
        search.followed(schedule, trace)
        if all(each.value for each in trace.ended.values()) and found is None:
            found = number
    assert found == 3
    assert search.exhausted


def test_circles() -> None:
    assert in_a_circle({"a": frozenset("b"), "b": frozenset("a")})
    assert not in_a_circle({"a": frozenset("b")})
    assert not in_a_circle({"a": frozenset("b"), "b": frozenset("c")})


def test_in_series_each_runs_to_its_end_and_errors_are_kept() -> None:
    said: list[str] = []

    def body(name: str) -> Body:
        def run(stop: Stop) -> str:
            for step in range(2):
                stop(f"{name}{step}")
                said.append(f"{name}{step}")
            if name == "b":
                raise ValueError(name)
            return name

        return run

    trace = run_in_series({name: body(name) for name in "abc"}, seconds=5.0)
    assert said == ["a0", "a1", "b0", "b1", "c0", "c1"]
    assert trace.schedule == ("a", "a", "b", "b", "c", "c")
    assert (trace.ended["a"].value, trace.ended["c"].value) == ("a", "c")
    assert isinstance(trace.ended["b"].error, ValueError)
    assert not trace.stuck


def test_in_series_what_takes_too_long_is_cancelled() -> None:
    free = threading.Event()

    def waits(stop: Stop) -> None:
        stop("waiting")
        free.wait(10.0)

    trace = run_in_series({"a": waits, "b": waits}, seconds=0.05, cancel=lambda actor: free.set())
    assert trace.stuck == "it did not end within 0.05 s: a was at waiting"
    assert "b" not in trace.ended
