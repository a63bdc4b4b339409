"""The forms and layouts of MariaDB do what they say."""

from __future__ import annotations

import pytest

from txfuzz.testing import FormConformance
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.hunt.forms import FORMS
from txfuzz_mariadb.hunt.layouts import LAYOUTS

pytestmark = pytest.mark.server


@pytest.mark.slow
class TestForms(FormConformance):
    adapter = MariadbAdapter()
    forms = FORMS
    layouts = LAYOUTS
    every = 12
