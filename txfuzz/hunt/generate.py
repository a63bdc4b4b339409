"""Which programs a hunt runs: a program for every number, so that a hunt can be cut and taken up anywhere.

`systematic` goes through every program of the scope, smallest first: in a first pass each combination of
deeds in one way of writing it, in further passes in other ways, and on other layouts. `random` draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cached_property
from itertools import accumulate, product
from math import gcd, prod
from random import Random
from typing import Any, Protocol, runtime_checkable

from txfuzz.check.run import FollowedSchedule
from txfuzz.errors import UsageError
from txfuzz.hunt.conflicts import looks_before_it_writes, worthwhile, written_alone
from txfuzz.hunt.form import RowState
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, Use, Uses, canonical
from txfuzz.hunt.schedules.prediction import told_by_snapshots, told_by_statements
from txfuzz.hunt.scope import Deed, Scope, Shape, deeds, plain_scope

BLOCK = 30  # numbers for which the layout stays the same, so that its tables are not made anew each time
PLAIN = 150  # so many numbers come first and are plain,
_EVERY = 3  # and every third one after them
_PLAIN_DRAWS = 12  # for each of those, at most
_LARGER = 4.0  # a shape with one statement more is drawn this many times as often
_SEQUENCE = 0.2  # and one with two transactions in a session this many times
_OF_TWO = 0.25  # a deed on two keys is drawn this many times as often as one on a single key
_UNLIKELY = 0.1  # of the programs that are not of the likely kind, so many are run
_THERE = 0.85  # of the rows, where only rows that are seen prove something
_ONE_KEY = 0.4  # of the programs there, in which updates of one row can be lost
_DRAWS = 60  # until there is a program
_DRAWS_OF_ONE = 12  # of its transactions
_GOLDEN = 0.6180339887


@runtime_checkable
class LearningSource(Protocol):
    """What a ProgramSource can do beside: go by what its programs came to."""

    def learn(self, program: SmallProgram, attempt: FollowedSchedule) -> None: ...

    def state(self) -> Mapping[str, Any]:
        """All that it has learnt, as JSON has it."""

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on with what state() has given before."""

    def merge(self, state: Mapping[str, Any]) -> None:
        """Adds what another source of the same scope has learnt."""


class ProgramSource(Protocol):
    def program(self, number: int) -> SmallProgram | None:
        """The program of this number; None where there is none, because it is not worth running or the same
        as another one. IndexError behind the last."""


class _Kind(Enum):
    """What a program must be able to show: that a database has snapshots and no more, that it looks at each
    statement by itself, or anything."""

    SNAPSHOTS = "snapshots"
    STATEMENTS = "statements"
    ANYTHING = "anything"


_KINDS = {_Kind.SNAPSHOTS: 0.7, _Kind.STATEMENTS: 0.2, _Kind.ANYTHING: 0.1}


class RandomSource:
    """Draws programs of the scope; most of them as large as it allows, and the first ones plain.

    serial: only what no serial order explains counts, so that most of them are such as a database with
    weaker rules would show itself by (see txfuzz.hunt.schedules.prediction).
    """

    def __init__(self, scope: Scope, seed: int, *, serial: bool = True, plain_first: bool = True) -> None:
        self._scope, self._seed, self._serial = scope, seed, serial
        plain = plain_scope(scope, still=not serial) if plain_first else None
        self._plain = RandomSource(plain, seed, serial=serial, plain_first=False) if plain else None
        # Where no form makes a row, one that is absent stays so, and nothing happens to it
        self._still = not any(form.moves_rows for form in scope.forms)
        self._shapes = scope.shapes()
        self._weights = _summed(
            _LARGER ** sum(map(sum, shape)) * _SEQUENCE ** sum(len(session) > 1 for session in shape)
            for shape in self._shapes
        )
        self._deeds = {layout.name: _deeds(scope, layout) for layout in scope.layouts}
        self._likely = {
            name: [deed.weight * _OF_TWO ** (len(deed.keys) - 1) for deed in found]
            for name, found in self._deeds.items()
        }
        self._drawn_by = {name: _summed(likely) for name, likely in self._likely.items()}

    def program(self, number: int) -> SmallProgram | None:
        if self._plain is not None and self._is_plain(number):
            if number < PLAIN:
                return self._first[number] if number < len(self._first) else None
            return self._plain.program(number + _PLAIN_DRAWS * PLAIN)
        return self.drawn(self.layout(number), Random(f"{self._seed} program {number}"))

    def _is_plain(self, number: int) -> bool:
        return number < PLAIN or number % _EVERY == 0

    @cached_property
    def _first(self) -> tuple[SmallProgram, ...]:
        """The plain ones, each once."""
        assert self._plain is not None
        found: dict[object, SmallProgram] = {}
        for number in range(_PLAIN_DRAWS * PLAIN):
            program = self._plain.program(number)
            if program is not None:
                found.setdefault(program.sign(), program)
            if len(found) == PLAIN:
                break
        return tuple(found.values())

    def drawn(self, layout: Layout, random: Random) -> SmallProgram | None:
        """A program on this layout; None where none that is worth running has turned up."""
        kind = self._kind(random)
        for _ in range(_DRAWS):
            program = self._crossing(layout, random) if kind is _Kind.SNAPSHOTS else self._any(layout, random)
            if program is not None and self._tells(program, kind, random):
                return canonical(program)
        return None

    def worth_running(self, program: SmallProgram, random: Random) -> bool:
        return self._tells(program, self._kind(random), random)

    def _kind(self, random: Random) -> _Kind:
        return random.choices(list(_KINDS), list(_KINDS.values()))[0] if self._serial else _Kind.ANYTHING

    def _tells(self, program: SmallProgram, kind: _Kind, random: Random) -> bool:
        if not self._serial:
            return (random.random() < _UNLIKELY or looks_before_it_writes(program)) and _is_run(program)
        if kind is _Kind.SNAPSHOTS:
            return told_by_snapshots(program) and _is_run(program)
        return _is_run(program) and (kind is _Kind.ANYTHING or told_by_statements(program))

    def _any(self, layout: Layout, random: Random) -> SmallProgram:
        shape, states = self._shape_and_states(random)
        found, summed = self._deeds[layout.name], self._drawn_by[layout.name]
        if not self._serial and random.random() < _ONE_KEY:
            states = (states[0], *(RowState.ABSENT for _ in states[1:]))
            likely = self._likely[layout.name]
            summed = _summed(each * (deed.keys == (0,)) for deed, each in zip(found, likely, strict=True))
        chosen = random.choices(found, cum_weights=summed, k=sum(map(sum, shape)))
        return _program(layout, states, shape, [Use(deed.drawn(random), deed.keys) for deed in chosen])

    def _crossing(self, layout: Layout, random: Random) -> SmallProgram | None:
        """Each transaction writes what no other one writes, and two of them what the other looks at."""
        shape, states = self._shape_and_states(random)
        found, summed = self._deeds[layout.name], self._drawn_by[layout.name]
        chosen: list[Use] = []
        written: set[int] = set()
        sizes = [size for session in shape for size in session]
        for size in sizes:
            for _ in range(_DRAWS_OF_ONE):
                drawn = random.choices(found, cum_weights=summed, k=size)
                uses = [Use(deed.drawn(random), deed.keys) for deed in drawn]
                own = written_alone(uses, states)
                looks = {key for use in uses for key in use.keys} - own
                # Of three, one may change nothing
                crosses = bool(own and looks) or len(sizes) > 2
                if crosses and not own & written and (not written or looks & written):
                    break
            else:
                return None
            chosen += uses
            written |= own
        return _program(layout, states, shape, chosen)

    def _shape_and_states(self, random: Random) -> tuple[Shape, tuple[RowState, ...]]:
        [shape] = random.choices(self._shapes, cum_weights=self._weights)
        there = 0.5 if self._serial else 1.0 if self._still else _THERE
        return shape, tuple(
            RowState.PRESENT if random.random() < there else RowState.ABSENT for _ in range(self._scope.keys)
        )

    def layout(self, number: int) -> Layout:
        """The plain one first, and now and then; every layout once, in some order, before any comes again."""
        if self._plain is not None and self._is_plain(number):
            return self._plain.layout(number)
        turn, place = divmod(number // BLOCK, len(self._scope.layouts))
        order = list(self._scope.layouts)
        Random(f"{self._seed} layouts {turn}").shuffle(order)
        return order[place]

    def deeds(self, layout: Layout) -> tuple[Deed, ...]:
        return self._deeds[layout.name]


class SystematicSource:
    """Every program of the scope, in an order that the seed chooses among those of one shape."""

    def __init__(self, scope: Scope, seed: int) -> None:
        self._layouts = scope.layouts
        self._spaces: list[list[_Space]] = [
            [_Space(layout, shape, scope, seed) for layout in scope.layouts] for shape in scope.shapes()
        ]
        self._sizes = [max(space.size for space in row) for row in self._spaces]
        self._passes = len(scope.layouts) * max(space.ways for row in self._spaces for space in row)

    def program(self, number: int) -> SmallProgram | None:
        turn, place = divmod(number, sum(self._sizes))
        if turn >= self._passes:
            raise IndexError(number)
        for row, size in zip(self._spaces, self._sizes, strict=True):
            if place < size:
                # Each pass has another layout at this place, and after as many passes another way of writing
                space = row[(turn + place // BLOCK) % len(row)]
                return space.program(place, turn // len(row))
            place -= size
        raise AssertionError("unreachable")


class _Space:
    """All programs of one shape on one layout, by number and by the way in which their deeds are written."""

    def __init__(self, layout: Layout, shape: Shape, scope: Scope, seed: int) -> None:
        self._layout, self._shape = layout, shape
        self._deeds = _deeds(scope, layout)
        self._states = tuple(product(RowState, repeat=scope.keys))
        self._slots = sum(map(sum, shape))
        self.size: int = len(self._states) * len(self._deeds) ** self._slots
        self._step, self._start = _step(self.size), Random(f"{seed} {shape}").randrange(self.size)
        self._seed = seed

    @cached_property
    def ways(self) -> int:
        """The most ways in which any of its combinations of deeds can be written."""
        return int(max(len(deed.forms) for deed in self._deeds) ** self._slots)

    def program(self, place: int, way: int) -> SmallProgram | None:
        if place >= self.size:
            return None
        number = (self._start + place * self._step) % self.size
        rest, at = divmod(number, len(self._states))
        chosen: list[Deed] = []
        for _ in range(self._slots):
            rest, digit = divmod(rest, len(self._deeds))
            chosen.append(self._deeds[digit])
        ways = prod(len(deed.forms) for deed in chosen)
        if way >= ways:
            return None
        plain = [Use(deed.forms[0], deed.keys) for deed in chosen]
        program = _program(self._layout, self._states[at], self._shape, plain)
        if not _is_run(program) or canonical(program) != program:
            return None
        written = (Random(f"{self._seed} {number}").randrange(ways) + way * _step(ways)) % ways
        uses = []
        for deed in chosen:
            written, digit = divmod(written, len(deed.forms))
            uses.append(Use(deed.forms[digit], deed.keys))
        return _program(self._layout, self._states[at], self._shape, uses)


def _deeds(scope: Scope, layout: Layout) -> tuple[Deed, ...]:
    found = deeds(tuple(form for form in scope.forms if layout.allows(form)), scope.keys)
    if not found:
        raise UsageError(f"the layout {layout.name!r} allows none of the forms")
    return found


def _summed(weights: Iterable[float]) -> list[float]:
    return list(accumulate(weights))


def _program(
    layout: Layout, states: tuple[RowState, ...], shape: Shape, chosen: Sequence[Use]
) -> SmallProgram:
    left = iter(chosen)
    sessions: list[tuple[Uses, ...]] = [
        tuple(tuple(next(left) for _ in range(count)) for count in session) for session in shape
    ]
    return SmallProgram(layout, states, tuple(sessions))


def _is_run(program: SmallProgram) -> bool:
    """Whether it is worth running and not the same as one with fewer keys."""
    used = {key for use in program.uses for key in use.keys}
    # A key that nobody uses is there in every program, in one state only
    idle = [state for key, state in enumerate(program.states) if key not in used]
    return (
        all(state is RowState.ABSENT for state in idle)
        and program.layout.can_be(program.states)
        and worthwhile(program)
    )


def _step(size: int) -> int:
    """Prime to the size, and far from dividing it into few parts: neighbours come far apart."""
    step = max(1, round(size * _GOLDEN))
    while gcd(step, size) != 1:
        step += 1
    return step
