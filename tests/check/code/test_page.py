"""docs/how-to/check-your-code.md: its code runs, and does what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pages import DOCS, blocks
from txfuzz.check.code.file import open_code
from txfuzz.check.program import programs
from txfuzz.check.run import ProgramRunner
from txfuzz.database.api import Database
from txfuzz.database.scenario import HoldsScenarios
from txfuzz.plugin.loader import load_plugins

pytestmark = pytest.mark.server
pytest_plugins = "pytester"
APP, TEST = blocks(DOCS / "how-to" / "check-your-code.md", "python")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with load_plugins().find("adapter", "postgres")().open(None) as opened:
        yield opened


def test_the_file_is_unsafe_at_read_committed_alone(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(APP)
    subject, tables = open_code(file, database)
    with tables, ProgramRunner(tables, subject.invariants, serial_level="serializable") as ready:
        [(_, (program, *_))] = programs(subject.transactions, (), Random(1))
        assert ready.check(program, "read committed", most=3).failing
        assert not ready.check(program, "repeatable read").failing


def test_the_test_passes_and_fails_without_the_lock(database: Database, pytester: pytest.Pytester) -> None:
    assert isinstance(database, HoldsScenarios)
    with database.scenario(()) as tables:
        url = f"\nimport pytest\n\n@pytest.fixture\ndef txfuzz_database_url():\n    return {tables.url()!r}\n"
        pytester.makepyfile(test_app=TEST + url)
        pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)
        pytester.makepyfile(test_app=TEST.replace(" FOR UPDATE", "") + url)
        pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(failed=1)
