"""Load profiles: ways to press on the same few keys, each of which gives other anomalies their chance.

How often an anomaly can show in 100 transactions depends on how they overlap, and no setting is best for
every kind:

- Somebody has to see it and commit. Transactions that only read are refused least, and a cycle through a
  snapshot needs one that reads several keys.
- Others have to come in between. A pause before a write lengthens the time between what a transaction read
  and what it does about it.
- Aborted and intermediate reads (G1a, G1b) need writes that are not committed yet, by transactions some of
  which abort: many clients, and a pause before COMMIT.
- What needs no overlap at all (an old version, a commit that is gone) one client alone shows best: nothing is
  refused, each transaction comes after all before it, and so they can be long: the more one reads and
  writes, the more dependencies it brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from txfuzz.feedback.adjustments import current
from txfuzz.feedback.learning.difference import changed_to
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.transactions.model import Step, Transaction
from txfuzz.workload.model import Workload

_FAVOURED = 0.5  # share of the mix that the transactions which a profile favours get at the least
_MOST_CLIENTS = 32  # that doubling leads to


@dataclass(frozen=True)
class LoadProfile:
    """One way to run a workload.

    why: a phrase. clients: by which the workload's are multiplied; one is left. pause: the longest one in
    seconds, and before what ("write" or "commit"); empty for none. mix: what it makes of the workload's.
    """

    name: str
    why: str
    clients: float = 1.0
    pause: float = 0.0
    before: str = ""
    mix: Callable[[Workload], dict[str, float]] | None = None

    def of(self, workload: Workload, original: Workload) -> Workload:
        """The workload under this load, as far as its owner lets it change.

        original: the one that the campaign began with. Pauses of its own are kept.
        """
        if self.mix is not None:
            workload = changed_to(workload, "mix", self.mix(workload), original)
        clients = workload.scheduling.clients
        wanted = round(clients * self.clients)
        if wanted > clients:
            wanted = max(clients, min(wanted, _MOST_CLIENTS))
        elif wanted < clients:
            wanted = max(wanted, 1)
        workload = changed_to(workload, "scheduling.clients", wanted, original)
        if not self.pause or workload.scheduling.think_time is not None:
            return workload
        pause = {"least": 0.0, "most": self.pause, "before": self.before}
        return changed_to(workload, "scheduling.think_time", pause, original)

    def told(self, before: Workload, after: Workload, original: Workload) -> str:
        """What `of` made of a workload, as a phrase; empty if its owner lets nothing of that change."""
        changes = {"mix": self.mix is not None, "scheduling.clients": self.clients != 1.0}
        changes["scheduling.think_time"] = self.pause > 0.0
        kept = any(made and TARGETS[target].kind not in original.mutate for target, made in changes.items())
        if kept and before == after:
            return ""
        return f"under the load {self.name!r}{', as far as `mutate` allows' if kept else ''}: {self.why}"


def read_more(workload: Workload) -> dict[str, float]:
    """The mix with half of it for the transactions that only read, those with more reads first; of the others
    those with more writes get more. As it is if there are no readers, or nothing but readers."""
    mix: dict[str, float] = current(workload, "mix")
    uses = {each.name: _uses(each) for each in workload.transactions}
    readers = {
        name: weight * uses[name][0] for name, weight in mix.items() if uses[name][0] and not uses[name][1]
    }
    writers = {name: weight * max(uses[name][1], 1) for name, weight in mix.items() if name not in readers}
    total, reading, writing = sum(mix.values()), sum(readers.values()), sum(writers.values())
    if not reading or not writing:
        return mix
    share = max(_FAVOURED, sum(mix[name] for name in readers) / total)
    return _shared(mix, readers, writers, share)


def run_longest(workload: Workload) -> dict[str, float]:
    """The mix with half of it for the transactions with the most steps. As it is if all have as many."""
    mix: dict[str, float] = current(workload, "mix")
    steps = {each.name: len(each.steps) for each in workload.transactions if mix.get(each.name)}
    most = max(steps.values(), default=0)
    longest = {name: mix[name] for name, number in steps.items() if number == most}
    others = {name: weight for name, weight in mix.items() if name not in longest}
    if not sum(others.values()):
        return mix
    share = max(_FAVOURED, sum(longest.values()) / sum(mix.values()))
    return _shared(mix, longest, others, share)


def _shared(
    mix: Mapping[str, float], favoured: Mapping[str, float], others: Mapping[str, float], share: float
) -> dict[str, float]:
    """A mix in which the favoured have this share, each by its weight among them."""
    up, down = share / sum(favoured.values()), (1 - share) / sum(others.values())
    return {
        name: float(f"{favoured[name] * up if name in favoured else others[name] * down:.4g}") for name in mix
    }


def _uses(transaction: Transaction) -> tuple[int, int]:
    """How many of its steps only read, and how many do anything else."""
    reads = sum(_reads(step) for step in transaction.steps)
    return reads, len(transaction.steps) - reads


def _reads(step: Step) -> bool:
    return step.reads and not step.writes and step.lock is None


LOAD_PROFILES: Final = (
    LoadProfile(
        "readers and pauses before writes",
        "what goes wrong shows to readers that commit, and more gets in between a read and a write",
        pause=0.002,
        before="write",
        mix=read_more,
    ),
    LoadProfile(
        "open writes",
        "more clients pause before COMMIT, so that reads meet writes that may still abort",
        clients=2.0,
        pause=0.001,
        before="commit",
        mix=read_more,
    ),
    LoadProfile(
        "one client, long transactions",
        "what needs no overlap shows where nothing is refused, and long transactions bring more dependencies",
        clients=0.0,
        mix=run_longest,
    ),
    LoadProfile("as it is", "what is rare may need nothing but repetition"),
)
