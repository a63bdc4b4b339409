"""Who waits for whom is shown, in stories and in SQL to be typed, also within a savepoint."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from txfuzz.campaign.check.check import check_file
from txfuzz.campaign.check.subject import open_subject
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.program import programs
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.story import story
from txfuzz.check.transaction import CommitPoint
from txfuzz.plugin.loader import load_plugins

pytestmark = pytest.mark.server

CREATE = """version: 1
name: users
database: {adapter: postgres, isolation: read committed}
setup: CREATE TABLE users (name text UNIQUE)
workload:
  transactions:
    - name: create
      steps:
        - sql: INSERT INTO users VALUES ('ann')
          on_error: {"23505": skip}
        - sql: INSERT INTO users VALUES ('ann')
          on_error: {"23505": abort}
"""


def test_a_wait_for_whoever_is_at_a_switch_point_has_his_name(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(CREATE)
    seen: list[FollowedSchedule] = []

    def take(attempt: FollowedSchedule) -> bool:
        seen.append(attempt)
        return True

    with (
        open_subject(tmp_path / "users.yaml", load_plugins(), None, None) as subject,
        ProgramRunner(subject.tables, serial_level="serializable") as runner,
    ):
        [(_, [program])] = programs(subject.transactions, (), Random(1))
        runner.check(program, "read committed", each=take)
    one, two = program.labels
    begun = 0
    for attempt in seen:
        lines = story(attempt)
        first = lines[0].transaction
        ended = next(
            at for at, each in enumerate(lines) if each.did == str(CommitPoint()) or "gives" in each.came
        )
        for line in lines[1:ended]:
            if line.transaction != first:
                begun += 1
                assert (line.waited, line.waited_for) == (True, (first,)), lines
    assert begun
    assert {one, two} == {story(attempt)[0].transaction for attempt in seen}


LOCKED = """version: 1
name: flats
database: {adapter: postgres, isolation: repeatable read}
setup:
  - CREATE TABLE flats (name text PRIMARY KEY)
  - CREATE TABLE bookings (guest text)
  - INSERT INTO flats VALUES ('Seaview')
workload:
  transactions:
    - name: book
      params: {guest: [ann, bob]}
      steps:
        - sql: SELECT name FROM flats FOR UPDATE
        - sql: SELECT guest FROM bookings
        - sql: INSERT INTO bookings VALUES (:guest)
"""


def test_shrinking_keeps_the_rows_that_are_locked(tmp_path: Path) -> None:
    """It goes wrong without any flat, too, but then nobody would see that the lock is of no help."""
    (tmp_path / "flats.yaml").write_text(LOCKED)
    found = check_file(tmp_path / "flats.yaml", advice=False)
    assert isinstance(found, CheckResult)
    ((finding,),) = (each.findings for each in found.sets)
    locks = [each for each in story(finding.attempt) if "FOR UPDATE" in each.did]
    assert [(each.came, each.waited) for each in locks] == [
        ("name 'Seaview'", False),
        ("name 'Seaview'", True),
    ]
