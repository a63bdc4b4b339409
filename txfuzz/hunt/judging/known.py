"""Holes that are known: what a finding is compared with before it is news."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.hunt.judging.wrong import Wrong


@dataclass(frozen=True, slots=True)
class KnownHole:
    """A way in which a database breaks its promise, or may by its documentation, that has been written about.

    forms: of which one must be among those of the finding, once it is shrunk; empty: any. unchanged: and the
        statement in such a form must have changed no row. wrong: what is wrong with it; empty: anything.
    layouts: on one of which it shows; empty: on any. levels: the database's words; empty: at any.
    model: that such a level promises, where the promise depends on how the database is set; empty: any.
    documented: the database says itself that its promise does not hold for these forms, so that a hunt leaves
        them out unless it is asked for them.
    raced: it needs statements that run in the same microseconds; these must be among the signs of the race
        (see txfuzz.hunt.race.race.Race.signs). Then forms are empty, for any.
    since, until: the first version that has it and the first that no longer has, None where that is unknown.
    reference: where it is written about.
    """

    name: str
    about: str
    adapter: str
    forms: frozenset[str]
    reference: str
    wrong: frozenset[Wrong] = frozenset()
    unchanged: bool = False
    layouts: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    model: str = ""
    documented: bool = False
    raced: frozenset[str] = frozenset()
    since: tuple[int, ...] | None = None
    until: tuple[int, ...] | None = None
