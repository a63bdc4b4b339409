"""Tables of their own for what is tried: smaller programs, and changes that may mend the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.campaign.check.subject import Subject
from txfuzz.check.finding.shrink import Ready
from txfuzz.check.run import SECONDS, ProgramRunner
from txfuzz.database.api import Capabilities, SessionError
from txfuzz.database.scenario import ScenarioTables


@dataclass(frozen=True)
class Trial:
    """How programs of this subject are run and judged. seconds: of one schedule."""

    subject: Subject
    capabilities: Capabilities
    expect: str
    seconds: float = SECONDS

    @property
    def serial_level(self) -> str:
        """The strongest: what a weaker one would let pass in a serial run is the same there."""
        return list(self.capabilities.isolation)[-1]

    def runner(self, tables: ScenarioTables) -> ProgramRunner:
        return ProgramRunner(
            tables,
            self.subject.invariants,
            ignored=self.subject.ignored,
            serial_level=self.serial_level,
            real_time=self.expect == "strict-serializable",
            seconds=self.seconds,
        )

    def ready_with(self, more: Sequence[str]) -> Ready | None:
        """A runner on the subject's tables, made anew with these statements behind its own. None where the
        database refuses them, and where code makes the tables, to which nothing can be added."""
        if self.subject.scenario is not None:
            return self.ready((*self.subject.scenario.setup, *more))
        return None if more else Ready(self.runner(self.subject.tables), lambda: None)

    def ready(self, setup: Sequence[str]) -> Ready | None:
        """A runner on tables that these statements make; None where the database refuses one, or a table
        that an invariant asks for is missing."""
        try:
            tables = self.subject.tables_of(setup)
        except SessionError:
            return None
        try:
            tables.reset()
            if any(each.rows(tables).rows for each in self.subject.invariants):
                tables.close()
                return None
            return Ready(self.runner(tables), tables.close)
        except SessionError:
            tables.close()
            return None
