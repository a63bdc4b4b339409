"""Tables are made once; later iterations go on with what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, option


@dataclass(frozen=True)
class SchemaInit:
    """State that grows is a state that fresh tables never reach."""

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
