"""Before anything meets: each transaction by itself, and the invariants on the rows of the setup."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from txfuzz.campaign.check.subject import Subject
from txfuzz.check.contract import CheckedTransaction, FunctionRows, SqlInvariant
from txfuzz.check.program import Program, all_arguments
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.outcome import CallOutcome, Ending
from txfuzz.check.story import found_text
from txfuzz.check.transaction import GIVES_UP, StatementPoint
from txfuzz.common.sentences import listed
from txfuzz.database.api import SessionError
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.workload.yaml.runtime_errors import RefusedStep, with_place

_MOST = 24  # combinations of arguments of one transaction


def check_alone(
    subject: Subject, runner: ProgramRunner, isolation: str, named: frozenset[str]
) -> tuple[str, ...]:
    """Sentences about transactions that do not commit by themselves. named: only these; empty for all.

    UsageError where a question about concurrency makes no sense: a statement that the database always
    refuses, a transaction that fails whatever its arguments, an invariant that the setup breaks.
    """
    _check_invariants(subject)
    _check_ignored(subject)
    notes: list[str] = []
    for transaction in subject.transactions:
        if not named or transaction.name in named:
            notes += _check_transaction(subject, runner, isolation, transaction)
    return tuple(notes)


def _check_invariants(subject: Subject) -> None:
    subject.tables.reset()
    for each in subject.invariants:
        place = subject.place_of(each.sql if isinstance(each, SqlInvariant) else "")
        try:
            rows = each.rows(subject.tables)
        except SessionError as error:
            raise UsageError(
                f"{place}: the database refuses the invariant {each.name!r}: {error.message} ({error.code})"
            ) from None
        if rows.rows:
            found = found_text(rows)
            expected = "it to return nothing" if isinstance(rows, FunctionRows) else "no row"
            raise UsageError(
                f"{place}: the invariant {each.name!r} is broken by the setup alone: "
                f"{found[0].lower()}{found[1:]}, expected {expected}"
            )


def _check_ignored(subject: Subject) -> None:
    """A misspelled column would mask nothing."""
    columns = {f"{table}.{name}" for table, rows in subject.tables.tables().items() for name in rows.columns}
    for each in sorted(subject.ignored - columns):
        raise UsageError(
            f"{subject.place_of(each)}: found the column {each!r}, expected one of the tables that the setup "
            f"makes ({did_you_mean(each, columns)})"
        )


def _check_transaction(
    subject: Subject, runner: ProgramRunner, isolation: str, transaction: CheckedTransaction
) -> Iterator[str]:
    failed: list[tuple[str, CallOutcome, int | None]] = []
    tried = list(islice(all_arguments(transaction), _MOST))
    for arguments in tried:
        program = Program(transaction.name, ((transaction, arguments),))
        attempt = runner.follow(program, isolation, ())
        (label,) = program.labels
        if attempt.trace.stuck:
            raise UsageError(f"{subject.path}: {label} does not end by itself: {attempt.trace.stuck}")
        outcome = attempt.outcome.transactions[label]
        if outcome.ending is Ending.COMMITTED and arguments is tried[0]:
            _check_again(subject, runner, attempt)
        if outcome.ending is Ending.COMMITTED or outcome.code == GIVES_UP:
            continue
        failed.append((label, outcome, _last_step(attempt)))
        if outcome.refused:
            raise _refused(subject, transaction, *failed[-1])
    if failed and len(failed) == len(tried):
        raise _refused(subject, transaction, *failed[0])
    if failed:
        codes = listed(sorted({f"{outcome.message} ({outcome.code})" for _, outcome, _ in failed}))
        yield f"By itself {listed((label for label, _, _ in failed), most=3)} is aborted: {codes}"


def _check_again(subject: Subject, runner: ProgramRunner, attempt: FollowedSchedule) -> None:
    """What commits once, and then no more although the rows are restored, has changed something else."""
    ((transaction, _),), (label,) = attempt.program.calls, attempt.program.labels
    for _ in range(2):  # a time-out may come once
        again = runner.follow(attempt.program, attempt.isolation, ())
        outcome = again.outcome.transactions.get(label)
        if outcome is None or outcome.ending is Ending.COMMITTED or outcome.code == GIVES_UP:
            return
    assert outcome is not None
    why = "fails the second time, so it changes what is not restored between schedules, such as the schema"
    raise _refused(subject, transaction, label, outcome, _last_step(again), why)


def _last_step(attempt: FollowedSchedule) -> int | None:
    """The number of the last statement; None for COMMIT."""
    points = [step.chosen.what for step in attempt.trace.steps]
    last = points[-1] if points else None
    return last.step if isinstance(last, StatementPoint) else None


def _refused(
    subject: Subject,
    transaction: CheckedTransaction,
    label: str,
    outcome: CallOutcome,
    step: int | None,
    why: str = "fails by itself",
) -> UsageError:
    where = "its COMMIT" if step is None else f"step {step + 1}"
    error = RefusedStep(
        f"{label} {why}, in {where}: {outcome.message} ({outcome.code})", transaction.name, step
    )
    placed = with_place(error, subject.path) if subject.scenario is not None else error
    return UsageError(f"{subject.path}: {error}") if placed is error else placed
