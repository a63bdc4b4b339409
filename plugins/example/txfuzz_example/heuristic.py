"""From near-cycles to the next workload."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, fewest_keys, option, target_value


@dataclass(frozen=True)
class Example:
    """Where a cycle was one edge short, use the same keys again."""

    name: ClassVar[str] = "example"
    about: ClassVar[str] = "narrows the choices to the keys of the nearest near-cycles"

    nearest: int = option(1, "how many near-cycles, from the nearest, give their keys", least=1)
    beside: int = option(1, "how many of the most contended keys are kept beside them", least=0)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        """One adjustment of the keys; none without near-cycles. Pure: it keeps no state."""
        before: list[int] = target_value(workload, "keys")
        near = feedback.near_cycles[: self.nearest]
        after = list(dict.fromkeys(key for each in near for key in each.keys if key in before))
        if not after:
            return ()
        pressed = [each.key for each in feedback.key_pressure if each.key in before]
        after += [key for key in pressed if key not in after][: self.beside]
        others = [key for key in before if key not in after]
        missing = max(fewest_keys(workload) - len(after), 0)  # with fewer, some transaction has no choice
        after += random.sample(others, min(missing, len(others)))
        if set(after) == set(before):
            return ()
        first = near[0]
        reason = (
            f"a {first.anomaly} lacked only a {first.missing.kind} edge on key {first.missing.key} "
            f"(score {first.score:.2f}): {len(after)} keys to choose from instead of {len(before)}"
        )
        return (Adjustment("keys", before, sorted(after), reason, self.name),)
