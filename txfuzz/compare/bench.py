"""What the runs of one process share: plugins, workloads that were read, servers that were started."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from txfuzz.analysis.dependencies.connectivity import prepare
from txfuzz.campaign.setup.preconditions import refuse_replay
from txfuzz.campaign.setup.resolve import (
    Assembled,
    InstalledVocabulary,
    assemble,
    database_url,
)
from txfuzz.common.closeable import Closeable
from txfuzz.common.options import options_of
from txfuzz.common.secrets import SecretText
from txfuzz.compare.effort import Task
from txfuzz.compare.targets import Target
from txfuzz.database.api import Adapter, Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

_CLIENTS = 64  # that a shared server has room for: strategies add some
_DICE = "defect_seed"  # the option of adapters that throw dice of their own


class Bench(Closeable):
    """A context manager, which stops what it started. interrupted: set it to end the run under way.
    goes_on: is asked by each run every now and then, and ends it by False."""

    def __init__(
        self,
        url: str | None = None,
        plugin_files: Sequence[Path] = (),
        interrupted: threading.Event | None = None,
    ) -> None:
        self.registry = load_plugins(files=plugin_files)
        self.interrupted = interrupted or threading.Event()
        self.goes_on: Callable[[], bool] = lambda: True
        self.url = url
        self._resources = ExitStack()
        self._workloads: dict[Target, Workload] = {}
        self._servers: dict[tuple[Adapter, str | None], Database] = {}
        prepare()

    def workload(self, target: Target) -> Workload:
        """Raises WorkloadError."""
        if target not in self._workloads:
            read = read_workload(target.path, InstalledVocabulary(self.registry, target.path))
            refuse_replay(read, target.path)
            self._workloads[target] = replace(read, campaign=None, init_schema=True)
        return self._workloads[target]

    def assembled(self, task: Task) -> Assembled:
        """The task's workload with its seed and strategy. Seeds decide about planted defects, too: otherwise
        all runs would meet them at the same moments."""
        workload = self.workload(task.target)
        if task.plugin is not None:
            workload = replace(workload, strategy=task.plugin)
        spec = workload.database
        adapter = spec.adapter and self.registry.find("adapter", spec.adapter)
        if adapter and any(option.name == _DICE for option in options_of(adapter)):
            options = {**spec.options, _DICE: spec.options.get(_DICE, 0) + task.seed}
            workload = replace(workload, database=replace(spec, options=options))
        return assemble(workload, self.registry, seed=task.seed)

    @contextmanager
    def database(self, assembled: Assembled) -> Iterator[Database]:
        """Open. A server is started once and shared; a run creates its tables anew. What has dice of its own
        is opened for each run, which has to throw them from the start."""
        adapter, url = assembled.adapter, database_url(self.url, assembled.workload)
        clients = max(_CLIENTS, assembled.workload.scheduling.clients)
        if hasattr(adapter, _DICE):
            with open_database(adapter, url, clients) as database:
                yield database
            return
        key = (adapter, url)
        if key not in self._servers:
            secret = None if url is None else SecretText(url)
            self._servers[key] = self._resources.enter_context(open_database(adapter, secret, clients))
        yield self._servers[key]

    def close(self) -> None:
        self._servers.clear()
        self._resources.close()
