"""mix: more writing transactions while dependencies are few, fewer reading ones while there are many."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, option, target_value

from .contention import aborts_option, edges_option, measured, pressed_enough

_LEAST = 1e-4  # smaller changes of a share are ignored


@dataclass(frozen=True)
class Mix:
    """Writes create the dependencies that reads reveal; a mix needs both."""

    name: ClassVar[str] = "mix"
    about: ClassVar[str] = (
        "shifts the weights of transactions according to how densely they depend on each other"
    )

    below: float = option(
        1.0, "edges per transaction below which write-heavy transactions gain weight", least=0.0
    )
    above: float = option(
        2.0, "edges per transaction above which read-only transactions lose weight", least=0.0
    )
    gain: float = option(1.2, "factor for the weight of a write-heavy transaction", least=1.0)
    loss: float = option(0.85, "factor for the weight of a read-only transaction", least=0.0)
    floor: float = option(0.05, "lowest share that a transaction is reduced to", least=0.0)
    edges: str = edges_option()
    aborts: float = aborts_option("nothing gains")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        before: dict[str, float] = target_value(workload, "mix")
        total = sum(before.values())
        if not feedback.committed or not total:
            return ()
        density, words = measured(feedback, self.edges)
        if density < self.below and pressed_enough(feedback, self.aborts):
            return ()
        moved = {name for name in before if self._factor(workload, name, density) != 1.0}
        shares = {name: weight / total for name, weight in before.items()}
        wanted = {name: share * self._factor(workload, name, density) for name, share in shares.items()}
        after = _normalised(wanted, {name: min(self.floor, share) for name, share in shares.items()})
        if all(abs(after[name] - share) < _LEAST for name, share in shares.items()):
            return ()
        after = {name: float(f"{share:.4g}") for name, share in after.items()}
        return (Adjustment("mix", before, after, self._reason(words, density, moved), self.name),)

    def _factor(self, workload: Workload, name: str, density: float) -> float:
        transaction = workload.transaction(name)
        if density < self.below and transaction.writes and transaction.writes >= transaction.reads:
            return self.gain
        if density > self.above and transaction.reads and not transaction.writes:
            return self.loss
        return 1.0

    def _reason(self, words: str, density: float, moved: set[str]) -> str:
        who, s = " and ".join(repr(name) for name in sorted(moved)), "s" if len(moved) == 1 else ""
        if density < self.below:
            change = f"{who}, write-heavy, gain{s} ×{self.gain:g} before normalising"
            return f"{words}, below {self.below:g}: {change}"
        return f"{words}, above {self.above:g}: {who}, read-only, lose{s} ×{self.loss:g} before normalising"


def _normalised(wanted: dict[str, float], floors: dict[str, float]) -> dict[str, float]:
    """Shares in these proportions that add up to 1, none below its floor. Floors add up to at most 1."""
    held: dict[str, float] = {}
    while True:
        free = {name: share for name, share in wanted.items() if name not in held}
        total = sum(free.values())
        if not total:
            return {name: held.get(name, 0.0) for name in wanted}
        scale = (1 - sum(held.values())) / total
        low = {name: floors[name] for name, share in free.items() if share * scale < floors[name]}
        if not low:
            return {name: held.get(name, wanted[name] * scale) for name in wanted}
        held |= low
