"""The forms and layouts of DuckDB do what they say."""

from __future__ import annotations

import pytest

pytest.importorskip("duckdb", reason="duckdb is not installed: pip install 'txfuzz[duckdb]'")

from txfuzz.testing import FormConformance
from txfuzz_duckdb.adapter import DuckdbAdapter
from txfuzz_duckdb.hunt.forms import FORMS
from txfuzz_duckdb.hunt.layouts import LAYOUTS


class TestForms(FormConformance):
    adapter = DuckdbAdapter(storage="memory")
    forms = FORMS
    layouts = LAYOUTS
    every = 6
