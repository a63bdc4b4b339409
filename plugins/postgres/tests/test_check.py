"""`txfuzz check` on the embedded server: what is true comes out, and what mends it has been tried."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from double_booking import SEATS
from project_fixtures import Ran
from txfuzz.campaign.check.check import CheckLimits, CheckProgress, check_file
from txfuzz.check.finding.result import CheckResult
from txfuzz.errors import ExitCode, OutputError, UsageError
from txfuzz.report.check.text import check_text
from txfuzz_postgres.adapter import PostgresAdapter

pytestmark = pytest.mark.server
Cli = Callable[..., Ran]

OVERDRAFT = """version: 1
name: overdraft
database: {adapter: postgres}
setup: |
  CREATE TABLE accounts (name text PRIMARY KEY, amount int NOT NULL);
  INSERT INTO accounts VALUES ('a', 60), ('b', 60), ('c', 0);
  CREATE TABLE log (id serial PRIMARY KEY, at timestamptz DEFAULT now(), account text);
workload:
  transactions:
    - name: withdraw
      params: {account: [a, b]}
      steps:
        - sql: SELECT sum(amount) AS total FROM accounts
          returns: {total: total}
        - when: {total: {ge: 100}}
          sql: UPDATE accounts SET amount = amount - 100 WHERE name = :account
        - sql: INSERT INTO log (account) VALUES (:account)
invariants:
  - {name: the sum is never negative, sql: SELECT sum(amount) FROM accounts HAVING sum(amount) < 0}
"""
NAMES = """version: 1
name: names
database: {adapter: postgres, isolation: read committed}
setup: CREATE TABLE users (id serial PRIMARY KEY, name text)
workload:
  transactions:
    - name: register
      params: {name: [ann, bob]}
      steps:
        - sql: SELECT id FROM users WHERE name = :name
          returns: {found: id}
        - {when: {found: null}, sql: INSERT INTO users (name) VALUES (:name)}
    - name: count
      steps: [{sql: SELECT count(*) FROM users}]
invariants:
  - {name: a name is taken once, sql: SELECT name FROM users GROUP BY name HAVING count(*) > 1}
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with PostgresAdapter().open(None) as database:
        yield database.describe()["url"]


@pytest.fixture
def check(url: str, tmp_path: Path) -> Callable[..., CheckResult]:
    def run(text: str, **more: object) -> CheckResult:
        path = tmp_path / "scenario.yaml"
        path.write_text(text)
        found = check_file(path, **{"url": url, **more})  # type: ignore[arg-type]
        assert isinstance(found, CheckResult)
        return found

    return run


def counts(found: CheckResult, number: int = 0) -> list[tuple[int, int, int]]:
    """Level by level: schedules, those that fail, those that could not be judged."""
    return [(each.schedules, each.failing, each.unknown) for each in found.sets[number].levels]


def test_a_double_booking_its_story_and_its_lock(check: Callable[..., CheckResult]) -> None:
    found = check(SEATS)
    (one,) = found.sets
    assert found.levels == ("read committed", "repeatable read", "serializable")
    assert found.asked == ("read committed",)
    assert found.failing == (one,)
    level = one.level("read committed")
    assert level.failures == {"neither book saw the other": level.failing}
    assert level.complete
    assert one.level("repeatable read").failing == one.level("serializable").failing == 0
    assert one.level("serializable").aborted.keys() == {"40001"}
    (finding,) = one.findings
    assert (finding.shown, finding.blames_database) == (finding.tries, False)
    assert finding.setup is not None
    assert not any("(2, NULL)" in statement for statement in finding.setup)  # a row that it does without
    lock, retry = one.fixes
    assert lock.about == "FOR UPDATE in step 1 of book"
    assert retry.about == "REPEATABLE READ, run again after 40001"
    assert lock.after.failing == lock.after.unknown == retry.after.failing == 0


def test_the_levels_that_are_asked_for_decide(check: Callable[..., CheckResult]) -> None:
    found = check(SEATS, isolation=["serializable"])
    assert (found.levels, found.failing, found.unjudged) == (("serializable",), (), ())
    assert found.sets[0].findings == ()


def test_a_write_skew_without_what_it_does_not_need(check: Callable[..., CheckResult]) -> None:
    (one,) = check(OVERDRAFT).sets
    assert [each.failing > 0 for each in one.levels] == [True, True, False]
    (finding,) = one.findings
    assert finding.left_out == ("step 3 of withdraw",)
    assert finding.failures[0] == "the sum is never negative: broken"
    assert [fix.isolation for fix in one.fixes] == ["read committed", "serializable"]
    assert "(SELECT * FROM accounts FOR UPDATE) AS locked" in one.fixes[0].sql


@pytest.mark.slow
def test_a_lock_that_is_given_back_too_early_is_what_is_shown(check: Callable[..., CheckResult]) -> None:
    """Without the lock it goes wrong as well, but that is another mistake than the user's."""
    early = SEATS.replace("steps:", "steps:\n        - sql: SELECT pg_advisory_lock(1)")
    early += "        - sql: SELECT pg_advisory_unlock(1)\n"
    (one,) = check(early, advice=False, isolation=["read committed"]).sets
    (finding,) = one.findings
    assert finding.left_out == ()
    first, second = (
        [number for number, name in enumerate(finding.attempt.trace.schedule) if name == label]
        for label in dict.fromkeys(finding.attempt.trace.schedule)
    )
    assert first[:4] == [0, 1, 2, 3]  # up to giving the lock back
    assert second[0] == 4


def test_an_invariant_becomes_a_constraint(check: Callable[..., CheckResult]) -> None:
    found = check(NAMES)
    assert [each.name for each in found.failing] == ["register × register"]
    assert [each.name for each in found.sets] == ["register × register", "register × count", "count × count"]
    fixes = found.sets[0].fixes
    assert fixes[0].sql == "CREATE UNIQUE INDEX users_name_once ON users (name)"
    assert fixes[0].after.failed.keys() == {"23505"}
    assert found.masked == ("users.id",)


def test_what_goes_wrong_in_series_is_not_blamed_on_concurrency(check: Callable[..., CheckResult]) -> None:
    blind = SEATS.replace("when: {holder: null}", "when: {holder: {ne: nobody}}")
    blind += "invariants:\n  - {name: bob never, sql: SELECT seat FROM seats WHERE booked_by = 'bob'}\n"
    found = check(blind, isolation=["serializable"])
    (one,) = found.sets
    (level,) = one.levels
    assert level.failing == level.in_series > 0
    assert list(level.failures) == ["bob never: broken, even in series"]
    assert [fix.about for fix in one.fixes] == []  # a CHECK would only refuse what bob does


def test_chance_gives_no_verdict(check: Callable[..., CheckResult]) -> None:
    found = check(SEATS.replace("SELECT booked_by", "SELECT booked_by, random()"))
    assert found.unjudged == found.sets
    assert not found.failing
    assert "random" in found.sets[0].levels[0].reasons[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "SELECT booked_by",
            "SELECT nope, booked_by",
            ':12:16: book (ann) fails by itself, in step 1: column "nope"',
        ),
        (
            "UPDATE seats SET",
            "UPDATE seats SETT",
            ":15:16: book (ann) fails by itself, in step 2: syntax error",
        ),
        ("INSERT INTO seats", "INSERT INTO seets", ":6:15: the database refused this statement: relation"),
        ("booked_by text)", "\n    booked_by textt)", ":6:15: the database refused this statement: type"),
    ],
)
def test_bad_sql_has_its_place(
    url: str, txfuzz: Cli, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "bad.yaml").write_text(SEATS.replace(old, new))
    ran = txfuzz("check", "bad.yaml", "--database-url", url)
    assert ran.code == ExitCode.USAGE
    assert ran.err.startswith(f"txfuzz: bad.yaml{message}"), ran.err


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT seat FROM seats", "is broken by the setup alone: the query for it gives seat 1 and seat 2"),
        ("SELECT nope FROM seats", "the database refuses the invariant 'it': column \"nope\""),
    ],
)
def test_an_invariant_that_says_nothing_about_concurrency(
    check: Callable[..., CheckResult], query: str, message: str
) -> None:
    with pytest.raises(Exception, match=r":17:21: ") as caught:
        check(f"{SEATS}invariants:\n  - {{name: it, sql: {query}}}\n")
    assert message in str(caught.value)


def test_an_interruption_keeps_what_was_found(check: Callable[..., CheckResult]) -> None:
    interrupted = threading.Event()

    def stop(progress: CheckProgress) -> None:
        if progress.failing:
            interrupted.set()

    found = check(SEATS, interrupted=interrupted, on_progress=stop)
    assert found.interrupted
    assert [each.isolation for each in found.sets[0].levels] == ["read committed"]
    assert found.failing
    [finding] = found.sets[0].findings
    assert finding.setup is not None
    assert not any("(2, NULL)" in each for each in finding.setup), "it was made smaller all the same"


def test_a_schedule_that_gets_stuck_is_the_last_of_its_program(check: Callable[..., CheckResult]) -> None:
    slow = SEATS.replace("steps:", "steps:\n        - sql: SELECT pg_sleep(0.3)")
    found = check(
        slow.replace("[ann, bob]", "[ann]"),
        limits=CheckLimits(schedule_seconds=0.5),
        isolation=["read committed"],
        advice=False,
    )
    ((counts,),) = (one.levels for one in found.sets)
    assert (counts.schedules, counts.unknown, counts.complete) == (1, 1, False)
    assert counts.reasons[0].startswith("it did not end within 0.5 s: ")
    assert counts.reasons[0].endswith("no further schedule of these arguments was run")


def test_what_changes_the_schema_is_refused(check: Callable[..., CheckResult]) -> None:
    changing = SEATS.replace("steps:", "steps:\n        - sql: ALTER TABLE seats ADD COLUMN more int")
    with pytest.raises(
        UsageError, match=r":12:16: book \(ann\) fails the second time, so it changes what is not"
    ):
        check(changing)


def test_a_directory_that_cannot_be_written_is_told_before_anything_runs(
    check: Callable[..., CheckResult], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    told: list[CheckProgress] = []
    with pytest.raises(OutputError):
        check(SEATS, output=tmp_path / "file" / "out", on_progress=told.append)
    assert not told


def test_a_database_that_is_lost_leaves_what_was_found(check: Callable[..., CheckResult]) -> None:
    with (
        PostgresAdapter().open(None) as own,
        psycopg.connect(own.describe()["url"], autocommit=True) as other,
    ):

        def end_all(progress: CheckProgress) -> None:
            if progress.failing == 3:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )

        found = check(SEATS, url=own.describe()["url"], on_progress=end_all)
    assert found.lost
    assert not found.interrupted
    (counts,) = found.sets[0].levels
    assert counts.failing >= 3
    assert not counts.complete
    assert found.findings


TRANSFER = """version: 1
name: transfer
database: {adapter: postgres, isolation: read committed}
setup: |
  CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
  INSERT INTO accounts VALUES (1, 100), (2, 50);
workload:
  transactions:
    - name: transfer
      params: {amount: 80}
      steps:
        - {sql: SELECT balance FROM accounts WHERE id = 1, returns: {balance: balance}}
        - when: {balance: {ge: ":amount"}}
          sql: UPDATE accounts SET balance = balance - :amount WHERE id = 1
        - when: {balance: {ge: ":amount"}}
          sql: UPDATE accounts SET balance = balance + :amount WHERE id = 2
invariants:
  - {name: nobody is overdrawn, sql: SELECT id FROM accounts WHERE balance < 0}
  - {name: no money vanishes, sql: SELECT sum(balance) FROM accounts HAVING sum(balance) <> 150}
"""


def test_what_is_left_out_breaks_nothing_else(check: Callable[..., CheckResult]) -> None:
    """Without the step that credits the other account money would vanish, which the user's code never
    does."""
    (one,) = check(TRANSFER, isolation=["read committed"], advice=False).sets
    assert "no money vanishes: broken" not in one.levels[0].failures
    (finding,) = one.findings
    assert set(finding.attempt.broken) == {"nobody is overdrawn"}
    assert set(finding.failures) == {"nobody is overdrawn: broken", "neither transfer saw the other"}


def test_steps_that_never_ran_are_told(check: Callable[..., CheckResult]) -> None:
    found = check(TRANSFER.replace("amount: 80", "amount: 300"), isolation=["read committed"])
    assert found.failing == ()
    [note] = [each for each in found.notes if "ran in no schedule" in each]
    assert note.startswith("Steps 2 and 3 of transfer ran in no schedule, so nothing is known of them")
    found = check(TRANSFER.replace("amount: 80", "amount: [300, 20]"), isolation=["read committed"])
    assert not [each for each in found.notes if "ran in no schedule" in each]


def test_combinations_that_are_left_out_are_counted(check: Callable[..., CheckResult]) -> None:
    text = TRANSFER.replace("amount: 80", "amount: [80, 30, 10]")
    found = check(text, isolation=["serializable"], limits=CheckLimits(most=4, combinations=2))
    assert found.sets[0].programs == 2
    assert found.notes[-1].startswith(
        "Of the combinations of arguments 2 of 6 of transfer × transfer were run"
    )


def test_few_schedules_are_said_to_be_few(check: Callable[..., CheckResult]) -> None:
    found = check(SEATS, limits=CheckLimits(most=2), advice=False)
    assert not found.sets[0].levels[0].complete
    assert found.sets[0].fixes == ()


def test_artefacts_show_it_again(url: str, txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "overdraft.yaml").write_text(OVERDRAFT)
    ran = txfuzz("check", "overdraft.yaml", "--database-url", url, "--output-dir", "out", "--no-advice")
    assert ran.code == ExitCode.VIOLATED
    assert ran.out.endswith("\nreport: out/check.html\nreplays: out/findings\n")
    folder = tmp_path / "out" / "findings" / "withdraw-withdraw_read-committed"
    assert sorted(each.name for each in folder.iterdir()) == ["replay.yaml", "repro.sql", "story.md"]
    data = json.loads((tmp_path / "out" / "check.json").read_text())
    assert data["failing"] == ["withdraw × withdraw"]
    again = txfuzz("check", folder / "replay.yaml", "--database-url", url)
    assert again.code == ExitCode.VIOLATED
    assert "Showed again 5 of 5 times" in again.out
    strong = txfuzz("check", folder / "replay.yaml", "--database-url", url, "--isolation", "serializable")
    assert strong.code == ExitCode.NOTHING_FOUND
    assert "Did not show again in 5 times" in strong.out
    assert typed(url, (folder / "repro.sql").read_text()) == [(-80,)]


def typed(url: str, script: str) -> list[tuple[object, ...]]:
    """What the last statement of a script shows, entered as its labels say, in a schema of its own."""
    windows: dict[str, psycopg.Connection[tuple[object, ...]]] = {}
    with psycopg.connect(url, autocommit=True) as control:
        control.execute("CREATE SCHEMA by_hand")
        try:
            for line in script.splitlines():
                if line.lstrip().startswith("/*"):
                    label = line.split()[1]
                    if label not in windows:
                        windows[label] = psycopg.connect(url, autocommit=True)
                        windows[label].execute("SET search_path = by_hand")
                    cursor = windows[label].execute(line.split("*/", 1)[1].encode())
            return cursor.fetchall()
        finally:
            for each in windows.values():
                each.close()
            control.execute("DROP SCHEMA by_hand CASCADE")


def test_one_json_object(url: str, txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "seats.yaml").write_text(SEATS)
    ran = txfuzz("check", "seats.yaml", "--database-url", url, "--isolation", "all", "--json", "--no-advice")
    data = json.loads(ran.out)
    assert ran.code == ExitCode.VIOLATED
    assert (data["asked"], data["adapter"]) == (data["levels"], "postgres")
    assert data["sets"][0]["findings"][0]["schedule"] == [1, 2, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--transactions", "book,bok"], "no transaction 'bok': did you mean 'book'?"),
        (["--transactions", "book"], "--transactions needs at least two, as in book,book"),
        (["--isolation", "snap"], "no isolation level 'snap'"),
        (["--expect", "causal"], "outcomes cannot be held against 'causal'"),
    ],
)
def test_bad_options_are_one_sentence(
    url: str, txfuzz: Cli, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "seats.yaml").write_text(SEATS)
    ran = txfuzz("check", "seats.yaml", "--database-url", url, *arguments)
    assert ran.code == ExitCode.USAGE
    assert message in ran.err


def test_a_deadlock_is_called_one_and_how_to_live_with_it_is_said(check: Callable[..., CheckResult]) -> None:
    steps = [f"{{sql: UPDATE seats SET booked_by = 'ann' WHERE seat = {seat}}}" for seat in (1, 2)]
    found = check(
        f"""version: 1
name: deadlocks
database: {{adapter: postgres, isolation: read committed}}
setup: |
  CREATE TABLE seats (seat int PRIMARY KEY, booked_by text);
  INSERT INTO seats VALUES (1, NULL), (2, NULL);
workload:
  transactions:
    - {{name: up, steps: [{steps[0]}, {steps[1]}]}}
    - {{name: down, steps: [{steps[1]}, {steps[0]}]}}
""",
        transactions=("up", "down"),
        isolation=("read committed",),
    )
    (level,) = found.sets[0].levels
    assert level.deadlocks == ("40P01",)
    text = " ".join(check_text(found).split())
    assert f"aborted, to be retried {level.aborted['40P01']} (40P01 deadlock)" in text
    assert "has to run it again from its beginning; or, for deadlocks (40P01), all have to lock" in text
    share = f"{level.aborted['40P01']} of {level.schedules} schedules at READ COMMITTED"
    assert f"hint: deadlocks are all that goes wrong ({share}); they are avoided if each" in text
