"""The forms and layouts of SQLite do what they say."""

from __future__ import annotations

from txfuzz.testing import FormConformance
from txfuzz_sqlite.adapter import SqliteAdapter
from txfuzz_sqlite.hunt.forms import FORMS
from txfuzz_sqlite.hunt.layouts import LAYOUTS


class TestForms(FormConformance):
    adapter = SqliteAdapter()
    forms = FORMS
    layouts = LAYOUTS
    every = 3
