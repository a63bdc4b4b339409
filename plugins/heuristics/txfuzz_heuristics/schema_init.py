"""schema-init: tables are created once; later iterations continue with their contents."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, option


@dataclass(frozen=True)
class SchemaInit:
    """Growing tables reach states that fresh ones never do."""

    name: ClassVar[str] = "schema-init"
    about: ClassVar[str] = "lets only the first iteration create the tables"

    keep: bool = option(False, "whether every iteration recreates the tables")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        if self.keep or not workload.init_schema:
            return ()
        rows = f"{feedback.committed} committed transaction{'s' * (feedback.committed != 1)}"
        reason = (
            f"iteration {feedback.iteration} created the tables; later ones keep the rows of its {rows} "
            "and start new generations of keys"
        )
        return (Adjustment("init_schema", True, False, reason, self.name),)
