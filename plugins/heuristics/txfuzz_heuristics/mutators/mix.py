"""More weight for some transactions."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, listed, option, target_value

from .change import change


def _shares(mix: dict[str, float]) -> dict[str, float]:
    total = sum(mix.values())
    return {name: float(f"{weight / total:.4g}") for name, weight in mix.items()}


@dataclass(frozen=True)
class NearTransactions:
    name: ClassVar[str] = "near-transactions"
    about: ClassVar[str] = "gives weight to the transactions of a near-cycle"
    kind: ClassVar[str] = "mix"

    nearest: int = option(3, "of how many near-cycles, from the nearest, one is chosen", least=1)
    share: float = option(0.8, "share of the mix that its transactions get together", least=0.0)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        mix: dict[str, float] = target_value(workload, "mix")
        near = []
        for each in feedback.near_cycles[: self.nearest]:
            names = {view.template for view in each.transactions}
            names |= {each.missing.source_template, each.missing.target_template}
            named = sorted(name for name in names if name is not None and mix.get(name, 0) > 0)
            if named:
                near.append(named)
        if not near:
            return None
        names_ = random.choice(near)
        total = sum(mix.values())
        inside = sum(mix[name] for name in names_)
        if inside / total >= self.share:
            return None
        up, down = self.share / inside, (1 - self.share) / (total - inside)
        after = _shares({name: weight * (up if name in names_ else down) for name, weight in mix.items()})
        if not any(after[name] > 0 for name in names_):
            return None
        reason = (
            f"a near-cycle consists of {listed(map(repr, names_))}, {inside / total:.0%} of the mix so far"
        )
        return change(workload, "mix", after, reason, self.name)


@dataclass(frozen=True)
class OneTransaction:
    name: ClassVar[str] = "one-transaction"
    about: ClassVar[str] = "gives more weight to one transaction, at random"
    kind: ClassVar[str] = "mix"

    factor: float = option(4.0, "by how much", least=1.0)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        mix: dict[str, float] = target_value(workload, "mix")
        weighty = sorted(name for name, weight in mix.items() if weight > 0)
        if len(weighty) < 2:
            return None
        chosen = random.choice(weighty)
        after = _shares({**mix, chosen: mix[chosen] * self.factor})
        reason = f"more of {chosen!r} changes what it meets: {after[chosen]:.0%} of the mix"
        return change(workload, "mix", after, reason, self.name)
