"""Which engine runs the slices, by the options `--workers` and `--dask`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from txfuzz.campaign.workers.contract import Engine
from txfuzz.campaign.workers.here import Here
from txfuzz.campaign.workers.processes import Processes


@dataclass(frozen=True)
class Workers:
    """number: of processes here, or at most of a cluster's workers; None if it was not said. dask: the
    address of a scheduler, or nothing."""

    number: int | None = None
    dask: str | None = None

    @property
    def several(self) -> bool:
        """Or one, in this process?"""
        return self.dask is not None or (self.number or 1) > 1

    def engine(self, say: Callable[[str], None] = lambda sentence: None) -> Engine:
        """say: is told of workers that are refused, in a sentence."""
        if self.dask is not None:
            from txfuzz.campaign.workers.cluster import Cluster

            return Cluster(self.dask, self.number, say=say)
        return Processes(self.number or 1) if self.several else Here()


ONE = Workers()
