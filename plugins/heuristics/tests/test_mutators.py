"""Our own mutators pass the public conformance tests, and do what their names say."""

from __future__ import annotations

import pytest

from txfuzz.testing import MutatorConformance
from txfuzz_heuristics import txfuzz_register_mutators

SHIPPED = {cls.name: cls() for cls in txfuzz_register_mutators()}


@pytest.mark.parametrize("mutator", SHIPPED.values(), ids=SHIPPED)
class TestShipped(MutatorConformance):
    @pytest.fixture
    def subject(self, mutator: object) -> object:
        return mutator
