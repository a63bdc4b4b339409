"""A failing schedule as SQL for people: typed into the database's own tool, one window a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import ascii_uppercase

from txfuzz.check.contract import CheckedInvariant, CheckedTransaction, SqlInvariant
from txfuzz.check.finding.result import Finding
from txfuzz.check.finding.statements import SpokenStatements, answer_of
from txfuzz.check.serial.outcome import Ending, StatementOutcome
from txfuzz.check.story import explanation, seen_text, story
from txfuzz.check.transaction import SAVEPOINT, SqlTransaction, StatementPoint
from txfuzz.common.sentences import listed
from txfuzz.database.sql.windows import WindowLine, commented, in_columns
from txfuzz.transactions.model import Mode, RollbackTo, Step

# What begins a transaction at a level: (isolation, mode) → statements
Begin = Callable[[str, Mode], tuple[str, ...]]


def typed_schedule(
    finding: Finding,
    invariants: tuple[CheckedInvariant, ...],
    begin: Begin,
    settings: tuple[str, ...] = (),
) -> str:
    """The whole script. Each line says in which window it is entered and what it shows there. settings:
    statements for each window before all others."""
    attempt = finding.attempt
    windows = dict(zip(attempt.program.labels, ascii_uppercase, strict=False))
    labels = tuple(windows.values())
    lines = [
        f"-- {attempt.program.name} at {attempt.isolation}: {listed(finding.failures)}",
        f"-- Open {len(windows)} windows of the database's tool on an empty database, one for each of",
        f"-- {', '.join(f'{window} = {commented(label)}' for label, window in windows.items())}.",
        "-- Enter the lines in this order, each in the window of its label. Below each stands what it shows.",
        "",
    ]
    if finding.setup is None:
        lines.append("-- Make the tables first, as the setup in Python does.")
    else:
        lines += in_columns((WindowLine("setup", statement) for statement in finding.setup), labels)
    lines += in_columns((WindowLine(window, each) for window in labels for each in settings), labels)
    lines += ["", *in_columns(_schedule(finding, windows, begin), labels), ""]
    after = [
        WindowLine("after", each.sql, f"gives {seen_text(attempt.broken[each.name])}: {each.name}")
        for each in invariants
        if isinstance(each, SqlInvariant) and each.name in attempt.broken
    ]
    lines += [*in_columns(after, labels), *([""] if after else [])]
    lines += [f"-- {commented(sentence)}" for sentence in ("Why this is wrong:", *explanation(attempt))]
    return "\n".join(lines) + "\n"


def _schedule(finding: Finding, windows: dict[str, str], begin: Begin) -> Iterator[WindowLine]:
    attempt = finding.attempt
    calls = dict(zip(attempt.program.labels, attempt.program.calls, strict=True))
    levels = {call.label: call.isolation for call in attempt.program.bound(attempt.isolation)}
    last = {step.chosen.actor: number for number, step in enumerate(attempt.trace.steps, 1)}
    spoken, begun = SpokenStatements(attempt), set()
    behind: dict[str, list[WindowLine]] = {}  # what cannot be entered before the wait is over
    for number, (decision, told) in enumerate(zip(attempt.trace.steps, story(attempt), strict=True), 1):
        label, point = decision.chosen.actor, decision.chosen.what
        window, transaction = windows[label], calls[label][0]
        yield from behind.pop(label, ())
        mode = transaction.transaction.mode if isinstance(transaction, SqlTransaction) else Mode()
        tried = getattr(point, "attempt", 0)
        if (label, tried) not in begun:
            begun.add((label, tried))
            for statement in begin(levels[label], mode):
                yield WindowLine(window, statement)
        shown = f"({number}) {told.came}" if told.came else f"({number})"
        if told.waited:
            holders = f" for {listed(windows[each] for each in told.waited_for)}" if told.waited_for else ""
            shown = f"({number}) waits{holders}{f', then {told.came}' if told.came else ''}"
        if isinstance(point, StatementPoint):
            step = _step(transaction, point.step)
            if _is_guarded(step):
                yield WindowLine(window, f"SAVEPOINT {SAVEPOINT}")
            yield WindowLine(window, spoken.text(label, point), shown)
            then = [WindowLine(window, each) for each in _then(step, answer_of(attempt, label, point))]
            outcome = attempt.outcome.transactions.get(label)
            if outcome is not None and outcome.ending is Ending.ABORTED and number == last[label]:
                then.append(WindowLine(window, "ROLLBACK"))
            if told.waited:
                behind[label] = then
            else:
                yield from then
        else:
            yield WindowLine(window, str(point), shown)
        for each in decision.let_go:
            yield from behind.pop(each, ())
    for left in behind.values():
        yield from left


def _step(transaction: CheckedTransaction, number: int) -> Step | None:
    return transaction.transaction.steps[number] if isinstance(transaction, SqlTransaction) else None


def _is_guarded(step: Step | None) -> bool:
    """Is there a savepoint before it, to which an error that is gone on from rolls back?"""
    return step is not None and any(rule in ("skip", "stop") for _, rule in step.on_error)


def _then(step: Step | None, answer: StatementOutcome | None) -> Iterator[str]:
    """What becomes of its savepoint."""
    if answer is None or step is None:
        return
    rule = dict(step.on_error).get(answer.code) if answer.code else None
    if isinstance(rule, RollbackTo):
        yield f"ROLLBACK TO SAVEPOINT {rule.savepoint}"
    elif _is_guarded(step) and rule != "abort":
        yield f"{'ROLLBACK TO' if answer.code else 'RELEASE'} SAVEPOINT {SAVEPOINT}"
