"""How the micro-operations of a recorded transaction can match the steps of one in the workload."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.common.key_ranges import Keys
from txfuzz.history.model import APPEND, READ, WRITE
from txfuzz.transactions.model import Choice, Key, MicroOperation, Ref, Step, Transaction

_F = {"r": READ, "append": APPEND, "w": WRITE}
_MOST = 64  # alignments of one transaction; raw SQL allows very many
_MOST_ROWS = 100  # that one statement may have returned
_RARE = 1e-9  # the weight of a transaction that is not in the mix


@dataclass(frozen=True)
class _MicroOperation:
    """choice: of the transaction, by number; None for a key from elsewhere. may_be_missing: a raw SQL
    statement that finds no row does nothing. repeats: once for each row that the statement returns."""

    f: int
    step: int
    choice: int | None
    may_be_missing: bool
    repeats: bool = False


@dataclass(frozen=True)
class Alignment:
    """steps: of each micro-operation. chosen: a micro-operation for each choice, and its keys."""

    steps: tuple[int, ...]
    chosen: Mapping[int, Keys]
    likelihood: float

    def choosable(self, logical: npt.NDArray[np.int64]) -> Flags:
        """Which of these transactions (n, micro-operations), given by logical keys, only use keys of the
        choices."""
        fits = np.ones(len(logical), np.bool_)
        for at, keys in self.chosen.items():
            column = logical[:, at]
            if isinstance(keys, range):
                fits &= (column >= keys.start) & (column < keys.stop)
            else:
                fits &= np.isin(column, np.array(keys, np.int64))
        return fits


@dataclass(frozen=True)
class TransactionPattern:
    """What a transaction of the workload leaves in a history. weight: its share of the mix."""

    name: str
    weight: float
    mops: tuple[_MicroOperation, ...]
    choices: tuple[Keys, ...]
    differ: tuple[tuple[int, int], ...]

    @property
    def longest(self) -> int:
        """The most micro-operations that it can leave in a history (as far as examined)."""
        return len(self.mops) + (_MOST_ROWS if any(each.repeats for each in self.mops) else 0)

    def alignments(
        self, f: Sequence[int], equal: Sequence[int], said: Sequence[int], *, complete: bool
    ) -> Iterator[Alignment]:
        """All alignments with a recorded transaction that did `f` on keys first used at `equal`.

        said: the step of each micro-operation, -1 if unknown. complete: it committed, so no step is
        missing.
        """
        for taken in islice(self._taken(tuple(f), tuple(said), complete), _MOST):
            chosen = self._chosen(taken, equal)
            if chosen is not None:
                keys = {at: self.choices[choice] for choice, at in chosen.items()}
                likelihood = math.log(self.weight) - sum(math.log(len(each)) for each in keys.values())
                yield Alignment(tuple(each.step for each in taken), keys, likelihood)

    def _taken(
        self, f: tuple[int, ...], said: tuple[int, ...], complete: bool, at: int = 0
    ) -> Iterator[tuple[_MicroOperation, ...]]:
        """The micro-operations of the pattern, from `at` on, that match the recorded ones."""
        if not f:
            # If raw SQL can end the transaction, it may have committed after any step
            ends = not complete or any(each.may_be_missing for each in self.mops)
            if ends or at == len(self.mops):
                yield ()
            return
        for place in range(at, len(self.mops)):
            here = self.mops[place]
            if here.f == f[0] and said[0] in (-1, here.step):
                for rest in self._taken(f[1:], said[1:], complete, place + (not here.repeats)):
                    yield (here, *rest)
            if not here.may_be_missing:
                return

    def _chosen(self, taken: Sequence[_MicroOperation], equal: Sequence[int]) -> dict[int, int] | None:
        """Choice → the first micro-operation on its key; None if keys are not equal or different as the
        transaction requires."""
        chosen: dict[int, int] = {}
        for at, each in enumerate(taken):
            if each.choice is not None and equal[chosen.setdefault(each.choice, at)] != equal[at]:
                return None
        for one, other in self.differ:
            if one in chosen and other in chosen and equal[chosen[one]] == equal[chosen[other]]:
                return None
        return chosen


def pattern_of(transaction: Transaction, weight: float) -> TransactionPattern:
    choices = [term for step in transaction.steps for term in step.key_terms() if isinstance(term, Choice)]
    named = {choice.name: at for at, choice in enumerate(choices) if choice.name is not None}
    mops: list[_MicroOperation] = []
    before = 0  # choices made by earlier steps
    for number, step in enumerate(transaction.steps):
        terms = _terms(step)
        own = [name for name, term in terms.items() if isinstance(term, Choice)]
        for each in step.micro_operations:
            key = terms.get(each.key)
            choice = None if key is None or key.name is None else named.get(key.name)
            if isinstance(key, Choice):
                choice = before + own.index(each.key)
            missing = step.sql is not None or step.keys_returned
            mops.append(_MicroOperation(_F[each.f], number, choice, missing, repeats=_repeats(step, each)))
        before += len(own)
    differ = tuple((at, named[other]) for at, choice in enumerate(choices) for other in choice.distinct_from)
    return TransactionPattern(
        transaction.name, max(weight, _RARE), tuple(mops), tuple(choice.keys for choice in choices), differ
    )


def _terms(step: Step) -> dict[str | None, Key]:
    """The keys of a step as in `key_terms`, by their raw SQL argument."""
    if step.sql is None:
        return {None: step.key} if isinstance(step.key, Choice | Ref) else {}
    return {name: arg for name, arg in step.args if isinstance(arg, Choice | Ref)}


def _repeats(step: Step, each: MicroOperation) -> bool:
    return step.sql is not None and each.key is None
