"""A check in words: tables, stories, fixes, and the verdict."""

from __future__ import annotations

import json
from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from double_booking import PROGRAM, SERIALIZABLE, SNAPSHOT, checked
from txfuzz.check.finding.result import LevelCounts, ReplayedSchedule, SetResult
from txfuzz.common.json_text import json_text
from txfuzz.report.check.data import check_data, replayed_data
from txfuzz.report.check.markdown import story_markdown
from txfuzz.report.check.page import check_page
from txfuzz.report.check.story import schedule_lines
from txfuzz.report.check.table import table_rows
from txfuzz.report.check.text import check_text, fix_text, hints, prices, replayed_text, verdict


def test_the_whole_text(snapshot: SnapshotAssertion) -> None:
    text = check_text(checked())
    assert text == snapshot
    assert max(map(len, text.splitlines())) <= 100


def test_the_story_as_a_page_of_markdown(snapshot: SnapshotAssertion) -> None:
    found = checked()
    (one,) = found.sets
    assert story_markdown(found, one, one.findings[0]) == snapshot


def test_long_names_stay_in_their_columns() -> None:
    found = checked()
    (finding,) = found.findings
    calls = tuple(
        (call, {"who": "x y " * 20 + who}) for (call, _), who in zip(PROGRAM.calls, "ab", strict=True)
    )
    program = replace(PROGRAM, calls=calls)
    names = dict(zip(PROGRAM.labels, program.labels, strict=True))
    attempt = finding.attempt
    steps = tuple(
        replace(step, chosen=replace(step.chosen, actor=names[step.chosen.actor]))
        for step in attempt.trace.steps
    )
    ended = {names[label]: each for label, each in attempt.outcome.transactions.items()}
    attempt = replace(
        attempt,
        program=program,
        trace=replace(attempt.trace, steps=steps),
        outcome=replace(attempt.outcome, transactions=ended),
    )
    lines = schedule_lines(replace(finding, attempt=attempt))
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("    book (x y x y ")


def test_a_broken_promise_is_blamed_only_if_it_shows_each_time() -> None:
    (blamed,), (doubtful,) = (checked(shown=shown, promised=True).findings for shown in (3, 2))
    assert blamed.blames_database
    assert not doubtful.blames_database
    assert "the database breaks its promise" in check_text(checked(promised=True)).replace("\n", " ")
    assert "so the database is not blamed" in check_text(checked(promised=True, shown=2)).replace("\n", " ")


def test_the_verdict_is_about_the_levels_that_count() -> None:
    assert verdict(checked()) == "Not safe: book × book at READ COMMITTED."
    assert verdict(checked(asked=(SERIALIZABLE,))) == "No schedule fails at SERIALIZABLE (14 schedules)."
    unjudged = SetResult("a × b", 1, (LevelCounts(SERIALIZABLE, 5, unknown=5, reasons=("a clock",)),))
    found = replace(checked(asked=(SERIALIZABLE,)), sets=(unjudged,))
    assert verdict(found) == "No verdict: a × b could not be judged."
    assert "Could not be judged (a × b, serializable): a clock." in check_text(found)
    assert verdict(replace(checked(asked=(SERIALIZABLE,)), interrupted=True)).startswith("It was stopped")


def test_what_was_not_judged_is_said_once_for_all_levels() -> None:
    counts = tuple(
        LevelCounts(level, 5, explained=2, unknown=3, reasons=("a clock",))
        for level in (SNAPSHOT, SERIALIZABLE)
    )
    found = replace(checked(asked=(SERIALIZABLE,)), sets=(SetResult("a × b", 1, counts),))
    assert verdict(found) == "No schedule fails at SERIALIZABLE (5 schedules, 3 of them not judged)."
    assert check_text(found).count("Could not be judged") == 1
    assert f"(a × b, {SNAPSHOT} and {SERIALIZABLE}): a clock." in check_text(found)


def test_a_database_that_was_lost_leaves_what_was_found() -> None:
    text = check_text(replace(checked(), lost="the server closed the connection"))
    assert "The database was lost: the server closed the connection." in text
    assert text.endswith("Not safe: book × book at READ COMMITTED.")


def test_invariants_that_judge_alone_say_nothing_about_orders() -> None:
    (one,) = checked().sets
    names = [name for name, _ in table_rows(replace(one, judge="invariants"))]
    assert "no invariant broken" in names
    assert "explained by an order" not in names


def test_data_says_the_same(snapshot: SnapshotAssertion) -> None:
    assert json.loads(json_text(check_data(checked()))) == snapshot


def test_a_replay_says_how_often_it_showed_again() -> None:
    (finding,) = checked().findings
    again = ReplayedSchedule("seats", "Server 1.2", finding, finding.failures)
    assert replayed_text(again).endswith("Showed again 3 of 3 times: neither book saw the other.")
    gone = replace(again, finding=replace(finding, shown=0), failures=())
    assert replayed_text(gone).endswith("Did not show again in 3 times: neither book saw the other.")
    assert replayed_data(gone)["failures"] == []


def test_schedules_that_were_not_run_are_counted_where_their_number_is_known() -> None:
    (one,) = checked().sets
    known = LevelCounts(SNAPSHOT, 9, explained=9, complete=False, at_most=70)
    unknown = LevelCounts(SERIALIZABLE, 9, explained=9, complete=False)
    found = replace(checked(), sets=(replace(one, levels=(known, unknown), findings=()),))
    assert dict(table_rows(found.sets[0]))["schedules"] == ["9 of up to 70", "9+"]
    assert "not all schedules were run (+)" in check_text(found)
    retried = replace(known, schedules=75)  # more than the statements alone can make
    assert dict(table_rows(replace(one, levels=(retried,))))["schedules"] == ["75+"]
    found = replace(found, sets=(replace(one, levels=(known,), findings=()),), asked=(SNAPSHOT,))
    assert "not all schedules were run, but" in check_text(found)


def test_what_is_not_compared_is_told_apart_from_identifiers() -> None:
    text = " ".join(check_text(checked()).split())
    assert "Not compared: log.at. No schedule fails for what stands there." in text
    assert "Identifiers that the database gives out: log.id. No schedule fails for other values there" in text
    assert check_data(checked())["renamed"] == ["log.id"]


def test_a_price_names_both_totals_where_they_differ() -> None:
    (one,) = checked().sets
    (fix,) = one.fixes
    before = LevelCounts(SNAPSHOT, 961, waited=34, aborted={"40P01": 34})
    after = LevelCounts(SNAPSHOT, 481, waited=50, aborted={"40P01": 50})
    told = "waits 50 of 481, was 34 of 961", "aborts by 40P01 50 of 481, was 34 of 961"
    assert tuple(prices(replace(fix, before=before, after=after))) == told
    same = replace(before, schedules=481)
    assert fix_text(replace(fix, before=same, after=after)).endswith(
        "0 of 481 fail; waits 50, was 34; aborts by 40P01 50, was 34)"
    )
    found = replace(checked(), sets=(replace(one, fixes=(replace(fix, before=before, after=after),)),))
    assert check_data(found)["sets"][0]["fixes"][0]["price"] == list(told)
    assert told[0] in check_page(found)


def test_a_constraint_is_named_in_the_price_of_a_fix_and_explained() -> None:
    (one,) = checked().sets
    (fix,) = one.fixes
    after = LevelCounts(SNAPSHOT, 48, failed={"E1": 24, "E2": 3}, constraints=("E1",))
    fix = replace(fix, before=LevelCounts(SNAPSHOT, 60, failed={"E2": 2}), after=after)
    told = "refused by a constraint (E1) 24 of 48, was 0 of 60", "aborts by E2 3 of 48, was 2 of 60"
    assert tuple(prices(fix)) == told
    found = replace(checked(), sets=(replace(one, fixes=(fix,)),))
    assert "Refused by a constraint (E1): the database has undone" in check_text(found)
    rows = dict(table_rows(replace(one, levels=(after,))))
    assert (rows["refused by a constraint"], rows["aborted for good"]) == (["24 (E1)"], ["3 (E2)"])


def test_an_order_of_locks_is_a_hint_where_deadlocks_are_all_that_goes_wrong() -> None:
    (one,) = checked().sets
    level = LevelCounts(SERIALIZABLE, 200, explained=200, aborted={"D": 40}, deadlocks=("D",))

    def told(level: LevelCounts, asked: str = SERIALIZABLE) -> list[str]:
        found = replace(checked(asked=(asked,)), sets=(replace(one, levels=(level,), findings=(), fixes=()),))
        hinted = list(hints(found, found.sets[0]))
        assert check_data(found)["sets"][0]["hints"] == hinted
        assert all(f"hint: {each[:30]}" in check_text(found) and each in check_page(found) for each in hinted)
        return hinted

    [hint] = told(level)
    assert hint.startswith("deadlocks are all that goes wrong (40 of 200 schedules at SERIALIZABLE); ")
    assert hint.endswith("SELECT … ORDER BY key FOR UPDATE")
    assert not told(replace(level, aborted={"D": 19}))  # too few to be worth it
    assert not told(replace(level, aborted={"D": 40, "E": 1}))
    assert not told(replace(level, failed={"E": 1}))
    assert not told(replace(level, failing=1))
    assert not told(replace(level, aborted={}, deadlocks=()))
    assert not told(level, asked=SNAPSHOT)
