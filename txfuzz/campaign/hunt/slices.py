"""The slices of a hunt: ranges of program numbers, and what they come to, put together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from typing import Any

from txfuzz.errors import UsageError
from txfuzz.hunt.generate import BLOCK, LearningSource, ProgramSource
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult

_CAREFUL = 2  # workers that were lost at a slice, after which its programs are run one by one
_GIVEN_UP = 4  # and after which the only one that is left of it is left out
_NO_PROGRAM = 100 * BLOCK  # numbers, after which it is given up that there will ever be one
_ADDED = tuple(each.name for each in fields(HuntCounts) if each.name not in ("number", "covered", "seconds"))

Files = Mapping[str, str]  # name → text


@dataclass(frozen=True)
class HuntSlice:
    """The programs of these numbers, up to a number of schedules (None: all of them). holes, learnt: what is
    known by now. losses: how many workers were lost at it before."""

    numbers: range
    schedules: int | None = None
    holes: tuple[FoundHole, ...] = ()
    learnt: Mapping[str, Any] = field(default_factory=dict)
    losses: int = 0


@dataclass(frozen=True)
class HuntNews:
    """What a slice has come to so far. server: product and version. files: of its new holes, by their place
    among those of the result."""

    server: str
    result: HuntResult
    files: Mapping[int, Files] = field(default_factory=dict)


class HuntSlices:
    """Slices for these many workers (see workers.contract), within a budget.

    source: what is learnt comes together there. on_hole: is told of each hole that is new. on_news: of the
    counts, several times a second; it ends the hunt by False. on_lost: of a worker that is lost, in a
    sentence. interrupted: ends it, too.
    """

    def __init__(
        self,
        budget: Budget,
        workers: int,
        source: ProgramSource,
        earlier: HuntResult,
        *,
        on_hole: Callable[[FoundHole, Files], None],
        on_news: Callable[[HuntCounts, Sequence[FoundHole]], bool],
        on_lost: Callable[[str], None] = lambda sentence: None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._budget, self._workers, self._source = budget, workers, source
        self._on_hole, self._on_news, self._on_lost = on_hole, on_news, on_lost
        self._is_interrupted = interrupted
        self._earlier, self._counts = earlier, earlier.counts
        self._holes, self._lost = list(earlier.holes), list(earlier.lost)
        self._reasons, self._allowed = Counter(earlier.reasons), Counter(earlier.allowed)
        self._left_out, self._covered = set(earlier.left_out), set(earlier.covered)
        self._left = [(range(*each), 0) for each in earlier.left]
        self._next = earlier.counts.number
        self._last: int | None = None  # the number behind the last program, once it is known
        self._running: dict[range, tuple[HuntSlice, HuntResult]] = {}
        self._promised = 0  # schedules that those who run may still run
        self._began: float | None = None
        self._stopped = False
        self._unlearnt = bool(earlier.learnt)  # by the workers
        if isinstance(source, LearningSource) and earlier.learnt:
            source.resume(earlier.learnt)
        self.server = ""

    def take(self) -> HuntSlice | None:
        schedules = self._allowance()
        if schedules == 0:
            return None
        losses = 0
        if self._left:
            numbers, losses = self._left.pop(0)
        elif self._last is None:
            numbers = range(self._next, (self._next // BLOCK + 1) * BLOCK)
            self._next = numbers.stop
        else:
            return None
        if losses >= _CAREFUL and len(numbers) > 1:
            self._left.insert(0, (numbers[1:], losses))
            numbers = numbers[:1]
        learnt: Mapping[str, Any] = {}
        if isinstance(self._source, LearningSource) and (self._unlearnt or self._workers > 1):
            learnt, self._unlearnt = self._source.state(), False
        asked = HuntSlice(numbers, schedules, tuple(self._holes), learnt, losses)
        self._running[numbers] = (asked, HuntResult(HuntCounts(number=numbers.start)))
        self._promised += asked.schedules or 0
        return asked

    def _allowance(self) -> int | None:
        """Schedules for one more slice."""
        if self._budget.schedules is None:
            return None
        left = self._budget.schedules - (self._counts.schedules - self._earlier.counts.schedules)
        left -= self._promised
        return max(0, -(-left // max(1, self._workers - len(self._running))))

    def told(self, asked: HuntSlice, news: HuntNews) -> None:
        if self._began is None:
            self._began = time.monotonic()
        self.server = news.server
        _, before = self._running[asked.numbers]
        if news.result is not before:  # it is told before each schedule, and changes with each program
            self._merge(asked, before, news)
        else:
            self._counts = replace(self._counts, seconds=self._earlier.counts.seconds + self._seconds())
        if not self._on_news(self._counts, self._holes):
            self._stopped = True

    def _merge(self, asked: HuntSlice, before: HuntResult, news: HuntNews) -> None:
        self._running[asked.numbers] = (asked, news.result)
        self._promised += _open(asked, news.result) - _open(asked, before)
        if news.result.covered is not before.covered:
            self._covered |= news.result.covered
        self._count(before.counts, news.result.counts)
        self._reasons += Counter(news.result.reasons) - Counter(before.reasons)
        self._allowed += Counter(news.result.allowed) - Counter(before.allowed)
        self._left_out |= set(news.result.left_out)
        if isinstance(self._source, LearningSource) and news.result.learnt:
            if self._workers > 1:
                self._source.merge(news.result.learnt)
            else:
                self._source.resume(news.result.learnt)
        hits = {_key(each): each.hits for each in before.holes}
        aware = {_key(each) for each in news.result.holes}
        behind = self._counts.schedules - news.result.counts.schedules
        for at, hole in enumerate(news.result.holes):
            more = hole.hits - hits.get(_key(hole), 0)
            if more:
                self._hit(hole, more, behind, news.files.get(at, {}), aware)

    def _count(self, before: HuntCounts, after: HuntCounts) -> None:
        added = {
            name: getattr(self._counts, name) + getattr(after, name) - getattr(before, name)
            for name in _ADDED
        }
        seconds = self._earlier.counts.seconds + self._seconds()
        self._counts = replace(self._counts, **added, covered=len(self._covered), seconds=seconds)

    def _hit(self, hole: FoundHole, hits: int, behind: int, files: Files, aware: Set[object]) -> None:
        """behind: the schedules that others had run when it was found. aware: of these holes it was known
        then that it is not one of them."""
        for at, known in enumerate(self._holes):
            if _key(known) == _key(hole) or (_key(known) not in aware and _alike(known, hole)):
                self._holes[at] = replace(known, hits=known.hits + hits)
                return
        self._holes.append(replace(hole, hits=hits, first=behind + hole.first))
        self._on_hole(self._holes[-1], files)

    def ended(self, asked: HuntSlice) -> None:
        _, result = self._running.pop(asked.numbers)
        self._promised -= _open(asked, result)
        number = result.counts.number
        none = not self._counts.programs and self._next > _NO_PROGRAM
        if none and not self._left_out:
            raise UsageError(
                f"of the first {self._next:,} programs of these forms and layouts, none has transactions "
                "that conflict in a circle: name more of them, or give more --keys or --statements"
            )
        if none or result.exhausted:  # each of them may need what is left out, of which the result tells
            self._last = number if self._last is None else min(self._last, number)
            self._left = [(each, losses) for each, losses in self._left if each.start < self._last]
        elif number < asked.numbers.stop:
            self._left.append((range(number, asked.numbers.stop), asked.losses))

    def lost(self, asked: HuntSlice, why: str) -> None:
        _, result = self._running.pop(asked.numbers)
        self._promised -= _open(asked, result)
        rest, losses = range(result.counts.number, asked.numbers.stop), asked.losses + 1
        if losses >= _GIVEN_UP and len(rest) == 1:
            sentence = f"{why}; program {rest.start:,} is left out, at which workers are lost each time"
        else:
            if rest:
                self._left.append((rest, losses))
            sentence = f"{why}; another one goes on from program {rest.start:,}"
        self._lost.append(sentence)
        self._on_lost(sentence)

    def enough(self) -> bool:
        seconds, schedules = self._budget.seconds, self._budget.schedules
        self._stopped |= self._is_interrupted()
        return (
            self._stopped
            or (seconds is not None and self._seconds() >= seconds)
            or (
                schedules is not None and self._counts.schedules - self._earlier.counts.schedules >= schedules
            )
        )

    def _seconds(self) -> float:
        """Since the first worker began."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def result(self) -> HuntResult:
        """What all have come to so far, from which the hunt can be taken up again."""
        running = [
            (result.counts.number, asked.numbers.stop)
            for asked, result in self._running.values()
            if result.counts.number < asked.numbers.stop
        ]
        left = sorted([*running, *((each.start, each.stop) for each, _ in self._left)])
        return HuntResult(
            replace(self._counts, number=self._next),
            tuple(self._holes),
            tuple(sorted(self._left_out)),
            self._reasons,
            self._allowed,
            self._source.state() if isinstance(self._source, LearningSource) else {},
            exhausted=self._last is not None and not left,
            interrupted=self._stopped,
            covered=frozenset(self._covered),
            left=tuple(left),
            lost=tuple(self._lost),
        )


def _open(asked: HuntSlice, result: HuntResult) -> int:
    """The schedules that a slice may still run."""
    return max(0, (asked.schedules or 0) - result.counts.schedules)


def _key(hole: FoundHole) -> tuple[object, ...]:
    return (hole.name, hole.wrong, hole.isolation)


def _alike(known: FoundHole, other: FoundHole) -> bool:
    """Whether the other may be one more schedule of it: news with more forms than it takes."""
    same = (known.wrong, known.isolation, known.known) == (other.wrong, other.isolation, "")
    return same and not other.known and set(known.forms) <= set(other.forms)
