"""Tests of endpoints: what a database shows at each of the places that transactions can go to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product

import pytest

from txfuzz.analysis.checker.consistency import implies, prohibited
from txfuzz.database.api import Capabilities, Database, Outcome, ReachesEndpoints, Session
from txfuzz.database.endpoints import Endpoint, EndpointUse, HasEndpoints
from txfuzz.testing.adapters.subject import AdapterSubject
from txfuzz.testing.sessions import holding, plain, read, refusal, transact, write

ROUNDS = 10


class EndpointConformance(AdapterSubject):
    """The checks of endpoints alone, for an adapter whose options start more of them.

    class TestMyReplicas(EndpointConformance):
        adapter = MyAdapter(replicas=1)
    """

    def test_roles_make_sense(self, subject: object, can: Capabilities) -> None:
        """The first is where every level is and everything can be written; others have fewer levels."""
        roles = can.endpoints or pytest.skip("it has no endpoints")
        assert isinstance(subject, HasEndpoints), "it has endpoints and no promise_across()"
        first, *others = roles.items()
        assert not first[1].read_only, f"nothing can be written at the first role, {first[0]!r}"
        assert set(first[1].levels) == set(can.isolation), f"the first role, {first[0]!r}, lacks levels"
        for name, role in others:
            unknown = set(role.levels) - set(can.isolation)
            assert role.levels, f"the role {name!r} has no level"
            assert not unknown, f"the role {name!r} has levels that the adapter does not: {unknown}"

    def test_promises_across_endpoints(self, subject: object, can: Capabilities) -> None:
        """At the first role alone it is what the level promises, and never more with another."""
        roles = can.endpoints or pytest.skip("it has no endpoints")
        assert isinstance(subject, HasEndpoints), "it has endpoints and no promise_across()"
        (name, first), *others = roles.items()
        for level in first.levels:
            here = EndpointUse(Endpoint(name, name), frozenset({level}), reads=True, writes=True)
            alone = subject.promise_across([here], ())
            promised = can.isolation[level]
            assert implies(alone.model, promised), (
                f"{level} promises {promised}, and at {name!r} alone {alone.model}"
            )
            assert implies(promised, alone.model), (
                f"{level} promises {promised}, and at {name!r} alone {alone.model}"
            )
            for (other, role), reads in product(others, (True, False)):
                for its_level in role.levels:
                    there = EndpointUse(
                        Endpoint(other, other, read_only=role.read_only), frozenset({its_level}), True, False
                    )
                    both = subject.promise_across(
                        [EndpointUse(here.endpoint, here.levels, reads, True), there], ()
                    )
                    assert prohibited(both.model), f"{both.model} is a promise that no history contradicts"
                    weaker = min((level, its_level), key=list(can.isolation).index)
                    assert not reads or implies(can.isolation[weaker], both.model), (
                        f"at {name!r} and {other!r} it promises {both.model}, more than {weaker} alone"
                    )
                    assert all(isinstance(each, str) for each in both.because), "`because` has sentences"

    def test_what_was_settled_is_seen_everywhere(self, database: Database, can: Capabilities) -> None:
        """Both what has been committed and that there is nothing of an earlier run."""
        places = self.places(database, can)
        for kind in can.kinds:
            for _ in range(2):
                database.prepare(kind, fresh=True)
                database.settle([each for each, _ in places])  # type: ignore[attr-defined]
                for endpoint, level in places:
                    with at(database, kind, endpoint) as session:
                        seen = plain(transact(session, level, read(1))[0])
                    assert seen == holding(kind), f"{endpoint.name!r} shows an earlier run: {seen}"
                with closing(database.session(kind)) as writer:
                    for number in range(1, ROUNDS + 1):
                        transact(writer, can.default_isolation, write(kind, 1, number))
                        database.settle([each for each, _ in places])  # type: ignore[attr-defined]
                        for endpoint, level in places:
                            with at(database, kind, endpoint) as session:
                                seen = plain(transact(session, level, read(1))[0])
                            assert seen == holding(kind, *range(1, number + 1)), (
                                f"after settle(), {endpoint.name!r} shows {seen}"
                            )

    def test_a_read_only_endpoint_refuses_writes(self, database: Database, can: Capabilities) -> None:
        """By an error with a code, and without an effect."""
        places = [each for each in self.places(database, can) if each[0].read_only]
        if not places:
            pytest.skip("every endpoint of this server can be written to")
        for kind in can.kinds:
            database.prepare(kind, fresh=True)
            database.settle([each for each, _ in places])  # type: ignore[attr-defined]
            for endpoint, level in places:
                with at(database, kind, endpoint) as session:
                    error = refusal(lambda: transact(session, level, write(kind, 1, 1)))  # noqa: B023
                    assert error is not None, f"{endpoint.name!r} takes writes, though it is read-only"
                    assert error.code, f"a write at {endpoint.name!r} is refused without a code"
                    assert error.outcome is not Outcome.INFO, (
                        f"a write at {endpoint.name!r} is refused, and its outcome said to be unknown"
                    )
            with closing(database.session(kind)) as session:
                assert plain(transact(session, can.default_isolation, read(1))[0]) == holding(kind)

    def test_the_levels_of_each_endpoint(self, database: Database, can: Capabilities) -> None:
        """Those that it has can be begun; the others are refused."""
        kind = min(can.kinds, key=str)
        places = self.places(database, can)
        database.prepare(kind, fresh=True)
        database.settle([each for each, _ in places])  # type: ignore[attr-defined]
        for endpoint, _ in places:
            for level in can.isolation:
                with at(database, kind, endpoint) as session:
                    error = refusal(lambda: transact(session, level, read(1)))  # noqa: B023
                if level in can.endpoints[endpoint.role].levels:
                    assert error is None, f"{level!r} at {endpoint.name!r}: {error}"
                else:
                    assert error is not None, f"{endpoint.name!r} takes the level {level!r}, which it has not"

    def places(self, database: Database, can: Capabilities) -> list[tuple[Endpoint, str]]:
        """Every endpoint that the server has, each with its strongest level."""
        roles = can.endpoints or pytest.skip("it has no endpoints")
        assert isinstance(database, ReachesEndpoints), "it has endpoints and no session_at() or settle()"
        return [
            (Endpoint(f"{name}-{number}", name, number, read_only=role.read_only), role.levels[-1])
            for name, role in roles.items()
            for number in range(role.count)
        ]


@contextmanager
def at(database: Database, kind: object, endpoint: Endpoint) -> Iterator[Session]:
    session = database.session_at(kind, endpoint)  # type: ignore[attr-defined]
    with closing(session):
        yield session
