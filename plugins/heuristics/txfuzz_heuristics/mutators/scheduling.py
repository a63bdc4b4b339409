"""Clients, barriers, pauses, how statements are sent, and tables that are kept or not."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, option, target_value

from .change import change, counted


@dataclass(frozen=True)
class FewerClients:
    name: ClassVar[str] = "fewer-clients"
    about: ClassVar[str] = "halves the clients"
    kind: ClassVar[str] = "scheduling"

    least: int = option(2, "no fewer than these", least=1)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: int = target_value(workload, "scheduling.clients")
        after = max(now // 2, self.least)
        if after >= now:
            return None
        reason = f"fewer transactions in flight abort each other less often: {counted(after, 'client')}"
        return change(workload, "scheduling.clients", after, reason, self.name)


@dataclass(frozen=True)
class MoreClients:
    name: ClassVar[str] = "more-clients"
    about: ClassVar[str] = "doubles the clients"
    kind: ClassVar[str] = "scheduling"

    most: int = option(32, "no more than these", least=1)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: int = target_value(workload, "scheduling.clients")
        after = min(2 * now, self.most)
        if after <= now:
            return None
        reason = f"more transactions in flight meet more often: {counted(after, 'client')}"
        return change(workload, "scheduling.clients", after, reason, self.name)


@dataclass(frozen=True)
class Barrier:
    name: ClassVar[str] = "barrier"
    about: ClassVar[str] = "lets clients start together, or no longer"
    kind: ClassVar[str] = "scheduling"

    every: tuple[int, ...] = option((1, 5, 25), "transactions of a client between two barriers")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: int = target_value(workload, "scheduling.barrier_every")
        after = random.choice([each for each in (0, *self.every) if each != now and each >= 0] or [now])
        reason = (
            f"clients that meet every {counted(after, 'transaction')} start the next ones together"
            if after
            else "clients that never wait for each other spread over time"
        )
        return change(workload, "scheduling.barrier_every", after, reason, self.name)


@dataclass(frozen=True)
class ThinkTime:
    name: ClassVar[str] = "think-time"
    about: ClassVar[str] = "pauses between the steps of transactions, or no longer"
    kind: ClassVar[str] = "timing"

    most_ms: tuple[float, ...] = option((0.2, 1.0, 4.0), "the longest pauses to choose from, in milliseconds")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: Any = target_value(workload, "scheduling.think_time")
        if now is not None and random.random() < 0.5:
            reason = "without pauses more transactions run in the same time"
            return change(workload, "scheduling.think_time", None, reason, self.name)
        before, most = random.choice(("step", "write", "commit")), random.choice(self.most_ms)
        after = {"least": 0.0, "most": min(most / 1000, 1.0), "before": before}
        reason = f"a pause of up to {most:g} ms before each {before} leaves others time to get in between"
        return change(workload, "scheduling.think_time", after, reason, self.name)


@dataclass(frozen=True)
class Sending:
    name: ClassVar[str] = "sending"
    about: ClassVar[str] = "sends BEGIN and COMMIT along with a step, or each on its own"
    kind: ClassVar[str] = "timing"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now = target_value(workload, "scheduling.sending")
        after = "stepped" if now == "batched" else "batched"
        reason = (
            "statements on their own leave gaps for others"
            if after == "stepped"
            else "statements sent together hurry, so that servers meet them at once"
        )
        return change(workload, "scheduling.sending", after, reason, self.name)


@dataclass(frozen=True)
class FreshTables:
    name: ClassVar[str] = "fresh-tables"
    about: ClassVar[str] = "starts each iteration from empty tables, or no longer"
    kind: ClassVar[str] = "scheduling"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        after = not target_value(workload, "init_schema")
        reason = (
            "empty tables and indexes have few pages, which transactions share"
            if after
            else "tables that grow have more pages, and dead rows in them"
        )
        return change(workload, "init_schema", after, reason, self.name)
