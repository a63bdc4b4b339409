"""The settings of a campaign, besides its workload."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from txfuzz.campaign.setup.load import Load
from txfuzz.common.secrets import command_without_secrets
from txfuzz.errors import UsageError
from txfuzz.feedback.strategy_names import LEARNING, OPEN_LOOP
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS
from txfuzz.workload.campaign import SmallScope

DEFAULT_WORKLOAD = "example"
DEFAULT_ITERATIONS = 4
SHORT_ITERATIONS = 40  # of a strategy whose iterations begin short
DEFAULT_SMALL_SCOPE = SmallScope()
_SHARE = 0.25  # of max_seconds, for the small-scope search


@dataclass(frozen=True)
class CampaignSettings:
    """One field per option of `txfuzz run`. None leaves the choice to the workload, including its
    `campaign` stanza (see `with_workload_defaults`).

    workload: a workload file, or the name of a shipped one or of one in workload_dir.
    iterations: the limit; see `most_iterations`.
    output: the run directory; None makes a new one under `runs/`.
    database_url: your own server; may contain a password, so it is never shown.
    adapter: the database, by the name of its adapter, in place of the workload's.
    clients, transactions, duration (seconds of each iteration), keys (of each choice): in place of the
    workload's; see txfuzz.campaign.setup.load.
    runner_cmd: an external command that makes the histories; may contain passwords, which are never
    shown. skip_run: analyse existing histories. resume: continue the campaign in `output`.
    run_replay: after each iteration, replay what was found or nearly happened.
    keep_schema_init: every iteration starts from empty tables. strategy: its name; open_loop: the one that
    uses no feedback. lean: draw no graphs, and derive no replays unless they are run.
    history: a file that becomes the first iteration's history (adaptive mode). execute: run further
    iterations after it. stop_on_finding, max_seconds, max_transactions, plateau (iterations in a row
    that show nothing new): stop before `iterations` are done.
    small_scope: the bounds of the search before the first iteration; False for none.
    plugin_files: Python files to load as plugins. plugin_seconds: time limit for a call of a plugin's
    heuristic or analyzer.
    """

    workload: str | Path = DEFAULT_WORKLOAD
    workload_dir: Path | None = None
    iterations: int | None = None
    output: Path | None = None
    database_url: str | None = field(default=None, repr=False)
    adapter: str | None = None
    isolation: str | None = None
    clients: int | None = None
    transactions: int | None = None
    duration: float | None = None
    keys: int | None = None
    expect: str | None = None
    seed: int | None = None
    runner_cmd: str | None = field(default=None, repr=False)
    skip_run: bool = False
    resume: bool = False
    run_replay: bool | None = None
    keep_schema_init: bool = False
    open_loop: bool = False
    strategy: str | None = None
    max_near_cycles: int | None = None
    max_graph_nodes: int = 200
    lean: bool = False
    strict_plugins: bool = False
    history: Path | None = None
    execute: bool = True
    stop_on_finding: bool | None = None
    max_seconds: float | None = None
    max_transactions: int | None = None
    plateau: int | None = None
    small_scope: SmallScope | None = None
    plugin_seconds: float = PLUGIN_SECONDS
    plugin_files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Convert paths given as strings. UsageError for an invalid time or command."""
        if self.open_loop and self.strategy not in (None, OPEN_LOOP):
            raise UsageError(f"--open-loop is the strategy {OPEN_LOOP!r}: leave out it or --strategy")
        if self.transactions is not None and self.duration is not None:
            raise UsageError(
                "--transactions and --duration both say when an iteration ends: give one of them "
                "(--budget ends the campaign)"
            )
        for name in ("max_seconds", "plugin_seconds"):
            seconds = getattr(self, name)
            if seconds is not None and not (seconds >= 0 and math.isfinite(seconds)):
                raise UsageError(f"{name} must be a number of seconds, found {seconds}")
        if self.runner_cmd is not None:
            words_of(self.runner_cmd)
        if isinstance(on := getattr(self, "small_scope"), bool):  # noqa: B009 - not what the type says
            object.__setattr__(self, "small_scope", SmallScope() if on else SmallScope(schedules=0))
        object.__setattr__(self, "plugin_files", tuple(Path(each) for each in self.plugin_files))
        for name in ("workload_dir", "output"):
            if isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, Path(given))

    @property
    def most_iterations(self) -> int:
        """The limit of iterations, with the default applied."""
        if self.iterations is not None:
            return self.iterations
        return SHORT_ITERATIONS if self.strategy == LEARNING else DEFAULT_ITERATIONS

    @property
    def strategy_name(self) -> str | None:
        """None leaves it to the workload."""
        return OPEN_LOOP if self.open_loop else self.strategy

    @property
    def only_analyzes(self) -> bool:
        """Is nothing run at all? With `skip_run` and a command, the command makes the histories."""
        return self.skip_run and self.runner_cmd is None

    @property
    def runs(self) -> bool:
        """Are histories made, by our own clients or a command?"""
        return not self.only_analyzes and (self.history is None or self.execute)

    def is_given(self, number: int) -> bool:
        """Did the history of this iteration exist before the campaign?"""
        return self.skip_run or (number == 0 and self.history is not None)

    @property
    def searched(self) -> SmallScope:
        """The bounds of the small-scope search. Only a campaign that runs its own clients has one."""
        own = self.runs and self.runner_cmd is None and self.history is None
        bounds = (self.small_scope or DEFAULT_SMALL_SCOPE) if own else SmallScope(schedules=0)
        if self.max_seconds is None:
            return bounds
        return replace(bounds, seconds=min(bounds.seconds, self.max_seconds * _SHARE))

    @property
    def load(self) -> Load:
        """What replaces the workload's clients, its transactions or their time, and its keys."""
        return Load(self.clients, self.transactions, self.duration, self.keys)

    @property
    def checker_options(self) -> dict[str, Any]:
        """Options of the checker that override the workload's."""
        return {} if self.max_near_cycles is None else {"max_near_cycles": self.max_near_cycles}

    def as_data(self) -> dict[str, Any]:
        """The arguments for campaign.json. The URL is replaced by whether there was one, and passwords are
        removed from the command; if there were any, `withheld` names it."""
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["database_url"] = self.database_url is not None
        data["runner_cmd"] = None if self.runner_cmd is None else command_without_secrets(self.runner_cmd)
        data["withheld"] = ["runner_cmd"] if data["runner_cmd"] != self.runner_cmd else []
        for name in ("workload", "workload_dir", "output", "history"):
            data[name] = None if data[name] is None else str(data[name])
        data["small_scope"] = None if self.small_scope is None else asdict(self.small_scope)
        data["plugin_files"] = [str(path) for path in self.plugin_files]
        return data


def words_of(command: str) -> list[str]:
    """The words of a command, at least one. UsageError if it has none or is malformed."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--runner-cmd cannot be split into words: {error}") from None
    if not words:
        raise UsageError("--runner-cmd is empty")
    return words


def command_to_go_on(settings: CampaignSettings, directory: Path) -> str:
    """The command line that goes on with a campaign in this directory; where histories are only analysed,
    which cannot be resumed, the one that does it again."""
    words = ["txfuzz", "run", "--resume", str(directory)]
    if settings.only_analyzes:
        words = ["txfuzz", "run", "--skip-run", "--output-dir", str(directory)]
        words += [] if settings.expect is None else ["--expect", settings.expect]
        words += [word for path in settings.plugin_files for word in ("--plugin-file", str(path))]
    elif settings.database_url is not None:
        words += ["--database-url", "URL"]  # it is not stored, and may contain a password
    return shlex.join(words)
