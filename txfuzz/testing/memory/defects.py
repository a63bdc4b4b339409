"""Defects that can be planted, when they strike, and the options that choose them.

What an analysis of lists finds for each, checked against the level's promise, in workloads that
read keys while others write them (`-` where the level promises nothing about it):

  defect                  serializable, snapshot             read committed          read uncommitted
  lost-update             lost-update, incompatible-order    incompatible-order, G0  G0
  stale-read              G-single (also with real time)     -                       -
  dirty-read              G1a, G1b, G1c                      G1a, G1b, G1c           - (its reads are dirty)
  non-monotonic-snapshot  G-single, G-nonadjacent            - (it has no snapshot)  -
  lost-committed-write    incompatible-order, lost-update    incompatible-order, G0  G0

Registers have no inherent version order: there a lost update or a lost write shows as
lost-update or as a cycle, and only at the two strong levels. Terms: Adya, Liskov, O'Neil 2000;
non-monotonic snapshots: Ardekani, Sutra, Shapiro, "Non-Monotonic Snapshot Isolation", 2013.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random

from txfuzz.common.options import check, option
from txfuzz.errors import UsageError, did_you_mean

LOST_UPDATE = "lost-update"
STALE_READ = "stale-read"
DIRTY_READ = "dirty-read"
NON_MONOTONIC_SNAPSHOT = "non-monotonic-snapshot"
LOST_COMMITTED_WRITE = "lost-committed-write"

DEFECTS: Mapping[str, str] = {
    LOST_UPDATE: "a write builds on what its transaction read of the key and overwrites what others "
    "have committed since",
    STALE_READ: "a read sees the version before the one it should see",
    DIRTY_READ: "a read sees what another transaction has written and not committed",
    NON_MONOTONIC_SNAPSHOT: "a snapshot lacks a transaction but has others that committed later",
    LOST_COMMITTED_WRITE: "a committed write is gone once a transaction that read it commits",
}


# Ways to do the same, all alike but for defects that are confined to one of them
LAYOUTS = ("ordered", "hashed")
PLANS = ("default", "scan")
FORMS: Mapping[str, tuple[str, ...]] = {"r": ("range",), "append": ("replace",), "w": ("replace",)}
_ANYWHERE = ""
_PLACES = (_ANYWHERE, *LAYOUTS, *PLANS, "range", "replace")


@dataclass(frozen=True)
class MemoryOptions:
    defects: tuple[str, ...] = option((), f"defects to plant: any of {', '.join(DEFECTS)}")
    probability: float = option(
        0.1, "how likely a defect strikes where it would make a difference", least=0.0
    )
    every: int = option(0, "a defect strikes at every n-th opportunity; 0: at random", least=0)
    defect_seed: int = option(0, "seed of the defects' randomness")
    only: str = option(
        _ANYWHERE, "the layout, plan or form to which defects are confined; empty for none", choices=_PLACES
    )
    layout: str = option(LAYOUTS[0], "how keys are stored; makes no difference", choices=LAYOUTS)
    plan: str = option(PLANS[0], "how rows are looked up; makes no difference", choices=PLANS)
    latency: float = option(0.00002, "least seconds that an answer takes", least=0.0)

    def __post_init__(self) -> None:
        check(self, "memory")
        for name in self.defects:
            if name not in DEFECTS:
                raise UsageError(f"memory: unknown defect {name!r}: {did_you_mean(str(name), DEFECTS)}")

    def defects_anew(self) -> Defects:
        found = Defects(self.defects, self.probability, self.every, self.defect_seed, self.only)
        found.here = (self.layout, self.plan)
        return found


class Defects:
    """Decides, at each opportunity, whether a defect strikes; while `asleep`, none does. Not thread-safe.

    every: it strikes at every n-th opportunity; 0: at random, with `probability`, from
    `seed`. An opportunity is a moment at which the defect would make a difference. only: the layout, plan or
    form to which they are confined. here: the layout and plan in force.
    """

    def __init__(
        self, names: Collection[str], probability: float, every: int, seed: int, only: str = _ANYWHERE
    ) -> None:
        self.here: tuple[str, ...] = ()
        self._only = only
        self.struck: Counter[str] = Counter()
        self.asleep = False
        self._opportunities: Counter[str] = Counter()
        self._probability, self._every = probability, every
        self._draws = {name: Random(f"{seed}/{name}") for name in names}

    @property
    def planted(self) -> bool:
        return bool(self._draws)

    def strikes(self, name: str, form: str | None = None) -> bool:
        """Whether this defect strikes at this opportunity. form: of the statement."""
        draws = self._draws.get(name)
        if draws is None or self.asleep:
            return False
        if self._only and self._only not in (*self.here, form):
            return False
        self._opportunities[name] += 1
        if self._every:
            strikes = self._opportunities[name] % self._every == 0
        else:
            strikes = draws.random() < self._probability
        self.struck[name] += strikes
        return strikes

    def one_of(self, name: str, count: int) -> int:
        """Choose one of `count` ways for a defect to strike."""
        return self._draws[name].randrange(count)
