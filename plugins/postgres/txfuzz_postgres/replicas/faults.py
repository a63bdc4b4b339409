"""What happens to standbys: they fall behind, die, and take over. fault_injection.py carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, ClassVar

from txfuzz.plugin_api import Database, option
from txfuzz_postgres.faults import Done, PostgresFault
from txfuzz_postgres.replicas.promises import FAIL_OVER, KILL_STANDBY, LAG

if TYPE_CHECKING:
    from txfuzz_postgres.fault_injection import Injector


@dataclass(frozen=True)
class LagStandby(PostgresFault):
    """A standby that is busy: it has the log and does not replay it."""

    name: ClassVar[str] = "lag-standby"
    about: ClassVar[str] = "all standbys receive the log and do not replay it, for a while"
    needs: ClassVar[str] = LAG

    seconds: float = option(0.3, "seconds until they go on", least=0)

    @property
    def lasts(self) -> float:
        return self.seconds

    def inject(self, injector: Injector, chance: Random) -> Done:
        return {"paused": injector.pause_replay()}

    def heal(self, injector: Injector) -> Done:
        injector.resume_replay()
        return {}


@dataclass(frozen=True)
class KillStandby(PostgresFault):
    """A crash of a standby, then a restart on the same data."""

    name: ClassVar[str] = "kill-standby"
    about: ClassVar[str] = "kill -9 of all processes of a standby, then a restart on the same data"
    needs: ClassVar[str] = KILL_STANDBY

    down: float = option(0.1, "seconds until it is restarted", least=0)

    @property
    def lasts(self) -> float:
        return self.down

    def inject(self, injector: Injector, chance: Random) -> Done:
        return {"killed": injector.kill_standby(chance)}

    def heal(self, injector: Injector) -> Done:
        injector.restart_standby()
        return {}


@dataclass(frozen=True)
class FailOver(PostgresFault):
    """The primary is cut off, dies, and a standby takes its place; new standbys follow that."""

    name: ClassVar[str] = "fail-over"
    about: ClassVar[str] = "the primary sends nothing to its standbys, is killed, and one of them is promoted"
    needs: ClassVar[str] = FAIL_OVER

    cut_off: float = option(0.05, "seconds during which it sends nothing, before it is killed", least=0)

    @property
    def lasts(self) -> float:
        return self.cut_off

    def excuses(self, database: Database) -> str:
        """Even the order of writes: lists that have lost elements contradict those that were read before."""
        if not database.describe().get("replication", "").startswith("asynchronous"):
            return ""
        return "replication is asynchronous, so the failover may have lost what had been acknowledged"

    def inject(self, injector: Injector, chance: Random) -> Done:
        return {"standbys": injector.stop_sending(chance)}

    def heal(self, injector: Injector) -> Done:
        return {"disconnected": injector.fail_over()}


STANDBY_FAULTS = (LagStandby, KillStandby, FailOver)
