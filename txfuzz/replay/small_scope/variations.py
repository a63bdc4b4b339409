"""What a small-scope search tries besides the workload as it is: the same with one thing changed.

One index can hide what another one shows. So where the workload's owner lets layouts, rows, plans or forms
vary, the schedules that say most run with each of them, too. One change at a time: what takes two of them
together is left to the mutators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from txfuzz.feedback.adjustments import allowed, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.targets.modes import only_reads
from txfuzz.feedback.targets.statements import takes_form
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream

NAME = "small-scope"
ROWS = "keys.rows"


def variations(workload: Workload) -> tuple[Adjustment, ...]:
    """Each makes one change that the workload allows: other tables, rows that come about in another way,
    other plans, another form of all reads or all writes. Its reason says which.

    Each kind has its turn before any has a second; within a kind, the seed decides, so that where there is no
    time for all it is not always the same ones that are left out.
    """
    draws = stream(workload.seed, "variations")
    kinds = [
        list(each)
        for each in (
            _options(workload, "layout"),
            _rows(workload),
            _options(workload, "plans"),
            _forms(workload),
        )
    ]
    for each in kinds:
        draws.shuffle(each)
    in_turn = chain.from_iterable(zip_longest(*kinds))
    return allowed((each for each in in_turn if each is not None), workload)


def _rows(workload: Workload) -> Iterator[Adjustment]:
    before: str = current(workload, ROWS)
    tried = {before, "inserted"} if before == "fresh" else {before}  # see plan
    for rows in workload.mutate.rows:
        if rows not in tried:
            yield Adjustment(ROWS, before, rows, f"{rows} rows instead of {before} ones", NAME)


def _options(workload: Workload, target: str) -> Iterator[Adjustment]:
    before: dict[str, Any] = current(workload, target)
    values: Mapping[str, Sequence[Any]] = getattr(workload.mutate, target)
    for option in before:
        for value in values[option]:
            if value != before[option]:
                why = f"{option} {value} instead of {before[option]}"
                yield Adjustment(target, before, {**before, option: value}, why, NAME)


def _forms(workload: Workload) -> Iterator[Adjustment]:
    before: dict[str, list[str | None]] = current(workload, "forms")
    for f, forms in workload.mutate.forms.items():
        for form in forms:
            after = {
                each.name: before[each.name]
                if only_reads(each, workload)
                else _with_form(each, before[each.name], f, form)
                for each in workload.transactions
            }
            if after != before:
                operations = "reads" if f == "r" else "writes"
                yield Adjustment("forms", before, after, f"{operations} written as {form}", NAME)


def _with_form(transaction: Transaction, words: Sequence[str | None], f: str, form: str) -> list[str | None]:
    steps = [step for step in transaction.steps if takes_form(step)]
    return [form if step.f == f else word for step, word in zip(steps, words, strict=True)]
