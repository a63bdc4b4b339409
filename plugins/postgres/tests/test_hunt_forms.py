"""The forms and layouts of PostgreSQL do what they say."""

from __future__ import annotations

from itertools import product
from typing import ClassVar

import pytest

from txfuzz.testing import FormConformance
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.hunt.forms import FORMS
from txfuzz_postgres.hunt.layouts import LAYOUTS

pytestmark = pytest.mark.server


@pytest.mark.slow
class TestForms(FormConformance):
    adapter = PostgresAdapter()
    forms = FORMS
    layouts = LAYOUTS
    every = 5
    refused: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            ("truncate", "view"),
            ("insert-or-nothing-any", "deferred-unique"),
            ("insert-unless-duplicate", "deferred-unique"),
            *(("truncate", layout.name) for layout in LAYOUTS if layout.dependent),
            *product(("update-cursor", "delete-cursor"), ("partition-list", "partition-hash", "view")),
        }
    )
