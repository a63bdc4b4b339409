"""`locks` and `forms`: how each step without SQL is written as a statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.modes import only_reads
from txfuzz.feedback.targets.target import Target, Written, short, told
from txfuzz.transactions.model import Step, Transaction
from txfuzz.workload.model import Workload

_TOLD = 4
Words = set[str | None]


def locks_of(original: Workload) -> Words:
    """The locks that a read may take; None for none."""
    allowed = original.mutate.locks if "locks" in original.mutate else ()
    return {None, *allowed, *(step.lock for each in original.transactions for step in each.steps)}


def forms_of(original: Workload) -> Mapping[str, Words]:
    """For each operation, the forms that its steps may have; None for the usual one."""
    allowed = original.mutate.forms if "forms" in original.mutate else {}
    found: dict[str, Words] = {f: {None, *allowed.get(f, ())} for f in ("r", "append", "w")}
    for each in original.transactions:
        for step in each.steps:
            if step.f is not None:
                found[step.f].add(step.form)
    return found


def takes_lock(step: Step) -> bool:
    return step.sql is None and step.f == "r"


def takes_form(step: Step) -> bool:
    return step.sql is None and step.f is not None


def _target(
    kind: str, steps: str, concerns: Callable[[Step], bool], allowed: Callable[[Workload, Step], Words]
) -> Target:
    """kind: also the name of the target; without its s, the attribute of a step and the word for it. steps:
    those that it concerns, in words."""
    word = kind.removesuffix("s")

    def concerned(transaction: Transaction) -> list[int]:
        return [at for at, step in enumerate(transaction.steps) if concerns(step)]

    def read(workload: Workload) -> dict[str, list[str | None]]:
        return {
            each.name: [getattr(each.steps[at], word) for at in concerned(each)]
            for each in workload.transactions
        }

    def write(workload: Workload, value: Any, original: Workload) -> Written:
        if not isinstance(value, dict):
            raise UsageError(
                f"{kind} must be a mapping of transaction to the {kind} of its {steps}, found {short(value)}"
            )
        by_name = {each.name: each for each in workload.transactions}
        for name, words in value.items():
            if name not in by_name:
                raise UsageError(
                    f"{kind} name an unknown transaction {name!r}: {did_you_mean(str(name), by_name)}"
                )
            places = concerned(by_name[name])
            if not isinstance(words, list) or len(words) != len(places):
                raise UsageError(
                    f"{name!r} has {len(places)} {steps} without SQL, found the {kind} {short(words)}"
                )
            for at, each in zip(places, words, strict=True):
                step = by_name[name].steps[at]
                may = allowed(original, step)
                if each not in may:
                    has = told(sorted(repr(one) for one in may if one), 8, f"no {word}")
                    raise UsageError(
                        f"{_article(step)} of {name!r} cannot {_VERBS[word]} the {word} {each!r}; "
                        f"it may {_VERBS[word]} {has}"
                    )
                if each is not None and only_reads(by_name[name], original):
                    raise UsageError(f"{name!r} is read-only, so its reads cannot {_VERBS[word]} {kind}")
        changed = []
        for each in workload.transactions:
            new = dict(zip(concerned(each), value.get(each.name, ()), strict=False))
            steps_now = (
                replace(step, **{word: new[at]}) if at in new else step for at, step in enumerate(each.steps)
            )
            changed.append(replace(each, steps=tuple(steps_now)))
        return replace(workload, transactions=tuple(changed)), ()

    def in_words(value: Any) -> str:
        return told((f"{name} {_listed(words)}" for name, words in value.items() if any(words)), _TOLD)

    def difference(before: Any, after: Any) -> str:
        moved = (
            f"{name!r} from {_listed(before.get(name, []))} to {_listed(words)}"
            for name, words in after.items()
            if words != before.get(name)
        )
        return f"the {kind} of the {steps} of {told(moved, _TOLD)}"

    return Target(kind, f"the {kind} of {steps}", read, write, in_words, difference)


_VERBS = {"lock": "take", "form": "have"}


def _article(step: Step) -> str:
    return "a read" if step.f == "r" else "a write"


def _listed(words: list[str | None]) -> str:
    return told((word or "none" for word in words), 8)


LOCKS = _target("locks", "reads", takes_lock, lambda original, step: locks_of(original))
FORMS = _target("forms", "operations", takes_form, lambda original, step: forms_of(original)[step.f or "r"])
