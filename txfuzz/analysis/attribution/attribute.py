"""Attribution: which transaction of the workload each recorded transaction is.

Txfuzz's own clients record the name of each transaction, and which step made which micro-operation. Other
runners need not; then both are inferred. A recorded transaction matches one of the workload if its
micro-operations are the steps of that, keys are equal where `ref` says so and different where
`distinct_from` does, and each key is one that the step may choose. If several match, the likeliest is
taken: by its share of the mix, and by how few keys it chooses from. A transaction that failed or has an
unknown outcome may have ended after any step, and raw SQL steps may have done nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from txfuzz.analysis.attribution.alignment import pattern_of
from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.analysis.dependencies.metrics import spans
from txfuzz.history.model import FINAL_READ, OK, READ, History, Ints
from txfuzz.workload.model import Workload

_NOT_SAID = -1
_NONE = 0  # a key that no workload can choose


@dataclass(frozen=True, eq=False)
class Attribution:
    """history: with transactions and steps named where this was missing and could be inferred.

    strangers: transactions that are not the workload's, so that it cannot have made the history.
    elsewhere: those that are, but on keys that the workload does not choose there. unnamed: those that the
    history does not name. apart: those of them that stayed unnamed: what a runner does before or after all
    transactions of the workload, and what did nothing. ambiguous: names of several transactions → how many
    that committed could be any of them.
    """

    history: History
    strangers: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    unnamed: int = 0
    apart: int = 0
    ambiguous: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def attribute(history: History, workload: Workload) -> Attribution:
    """The history in terms of the workload; unchanged if the workload cannot have made it."""
    matching = _Matching(history, workload)
    matching.run()
    strangers = tuple(np.flatnonzero(matching.strangers).tolist())
    if strangers:
        return Attribution(history, strangers)
    told = matching.attributed()
    unnamed = history.template < 0
    return Attribution(
        told,
        elsewhere=tuple(np.flatnonzero(matching.elsewhere).tolist()),
        unnamed=int(unnamed.sum()),
        apart=int((told.template[unnamed] < 0).sum()),
        ambiguous=dict(matching.ambiguous.most_common()),
    )


class _Matching:
    """pattern, step: found for each transaction and micro-operation. strangers: those that fit none.
    elsewhere: those that fit except for their keys."""

    def __init__(self, history: History, workload: Workload) -> None:
        self.history, self.workload = history, workload
        weights = {each.txn: each.weight for each in workload.mix}
        self.patterns = [pattern_of(each, weights.get(each.name, 0)) for each in workload.transactions]
        numbers = {pattern.name: number for number, pattern in enumerate(self.patterns)}
        self.final = np.isin(history.template, [
            at for at, name in enumerate(history.templates) if name == FINAL_READ
        ])  # fmt: skip
        # The workload's number for each template of the history; the last place is for none
        said = [numbers.get(name, len(self.patterns)) for name in history.templates]
        self.claimed = np.array([*said, _NOT_SAID], np.int64)[history.template]
        self.logical = np.array([_NONE if key is None else key for key in history.logical], np.int64)
        self.length = np.diff(history.mops)
        self.pattern = np.full(len(history), _NOT_SAID, np.int64)
        self.step = history.mop_step.copy()
        self.ambiguous: Counter[tuple[str, ...]] = Counter()
        self.elsewhere = np.zeros(len(history), np.bool_)
        self.strangers = np.zeros(len(history), np.bool_)

    def run(self) -> None:
        rows = np.flatnonzero((self.length > 0) & ~self.final)
        fits = np.zeros(len(self.history), np.bool_)
        for group in self._groups(rows):
            fits[group.rows] = self._match(group)
        unfit = rows[~fits[rows]]
        self._set_apart(rows[fits[rows]], unfit)

    def _groups(self, rows: Ints) -> Iterator[_Group]:
        """Transactions of the same shape: the same sequence of f, keys equal in the same places."""
        history = self.history
        longest = max((pattern.longest for pattern in self.patterns), default=0)
        complete = history.type == OK
        for length in np.unique(self.length[rows]).tolist():
            if length > longest:
                continue
            of = rows[self.length[rows] == length]
            mops = history.mops[of][:, None] + np.arange(length)
            keys = history.mop_key[mops]
            same = np.argmax(keys[:, :, None] == keys[:, None, :], axis=2)
            head = np.stack([complete[of].astype(np.int64), self.claimed[of]], axis=1)
            shape = np.concatenate([head, history.mop_f[mops], self.step[mops], same], axis=1)
            shapes, which = np.unique(shape, axis=0, return_inverse=True)
            order = np.argsort(which.reshape(-1), kind="stable")
            bounds = np.searchsorted(which.reshape(-1)[order], np.arange(len(shapes) + 1))
            for at, each in enumerate(shapes.tolist()):
                members = order[bounds[at] : bounds[at + 1]]
                f, step, equal = (each[2 + length * part : 2 + length * (part + 1)] for part in range(3))
                yield _Group(
                    of[members],
                    mops[members],
                    bool(each[0]),
                    int(each[1]),
                    tuple(f),
                    tuple(step),
                    tuple(equal),
                )

    def _match(self, group: _Group) -> Flags:
        """Which of the group fit a transaction of the workload, perhaps on other keys."""
        keys = self.logical[self.history.mop_key[group.mops]]
        best = np.full(len(group.rows), -np.inf)
        found, fitting = (
            np.full(len(group.rows), _NOT_SAID),
            np.zeros((len(group.rows), len(self.patterns)), bool),
        )
        steps = np.full(group.mops.shape, _NOT_SAID)
        somewhere: tuple[int, tuple[int, ...]] | None = None
        for number, pattern in enumerate(self.patterns):
            if group.claimed not in (_NOT_SAID, number):
                continue
            for each in pattern.alignments(group.f, group.equal, group.step, complete=group.complete):
                somewhere = somewhere or (number, each.steps)
                fits = each.choosable(keys)
                fitting[fits, number] = True
                better = fits & (each.likelihood > best)
                best[better], found[better], steps[better] = each.likelihood, number, each.steps
        if somewhere is None:
            return np.zeros(len(group.rows), np.bool_)
        elsewhere = found == _NOT_SAID
        found[elsewhere], steps[elsewhere] = somewhere
        self.elsewhere[group.rows[elsewhere]] = True
        self.pattern[group.rows] = found
        self.step[group.mops] = np.where(self.step[group.mops] < 0, steps, self.step[group.mops])
        if group.complete:
            several = fitting[fitting.sum(axis=1) > 1]
            kinds, counts = np.unique(several, axis=0, return_counts=True)
            for kind, count in zip(kinds, counts.tolist(), strict=True):
                self.ambiguous[tuple(self.patterns[at].name for at in np.flatnonzero(kind))] += count
        return np.ones(len(group.rows), np.bool_)

    def _set_apart(self, fit: Ints, unfit: Ints) -> None:
        """What a runner does besides its workload is recognised by its time: rows inserted before all
        transactions, reads of all keys after them. The rest are strangers."""
        if not len(fit):
            self.strangers[unfit] = True
            return
        start, end = spans(self.history)
        ended = self.history.complete_at[fit]
        before = end[unfit] < start[fit].min()
        after = start[unfit] > ended.max()
        read = np.array([self._only_reads(row) for row in unfit.tolist()], np.bool_)
        self.strangers[unfit[~before & ~(after & read)]] = True
        if before.sum() > len(fit):
            self.strangers[unfit[before]] = True

    def _only_reads(self, row: int) -> bool:
        first, last = self.history.mops[row : row + 2]
        return bool((self.history.mop_f[first:last] == READ).all())

    def attributed(self) -> History:
        history = self.history
        own = [pattern.name for pattern in self.patterns]
        names = list(dict.fromkeys([*history.templates, *own]))
        numbers = [names.index(name) for name in own]
        told = np.where(self.pattern < 0, _NOT_SAID, np.array(numbers, np.int64)[self.pattern])
        template = np.where(history.template < 0, told, history.template)
        return replace(history, template=template, templates=names, mop_step=self.step)


@dataclass(frozen=True, eq=False)
class _Group:
    """rows: (n) transactions. mops: (n, length). claimed: the number of the transaction of the workload that
    the history names. step: of each micro-operation, from the history. equal: for each micro-operation the
    first one on the same key."""

    rows: Ints
    mops: Ints
    complete: bool
    claimed: int
    f: tuple[int, ...]
    step: tuple[int, ...]
    equal: tuple[int, ...]
