"""Everything that is decided, checked and opened before the first iteration of a campaign."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from txfuzz.analysis.dependencies.connectivity import prepare
from txfuzz.campaign.directory.run_directory import RunDirectory, write_text
from txfuzz.campaign.events import Preparing, Subscriber, Warned, ignore
from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.load import with_load
from txfuzz.campaign.setup.preconditions import check_made_by, refuse_replay
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble, database_url
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.clients import ClientSource
from txfuzz.campaign.sources.contract import HistorySource
from txfuzz.campaign.sources.existing_histories import (
    ExistingHistories,
    ImportedHistory,
    as_it_was_run,
    earlier_excuses,
)
from txfuzz.campaign.sources.external_command import ExternalCommand
from txfuzz.campaign.sources.resumed import (
    ResumedHistories,
    first_workload,
    histories_in,
    original_workload_path,
)
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.common.secrets import SecretText, command_without_secrets
from txfuzz.common.sentences import listed
from txfuzz.common.version import __version__
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import capabilities_of, open_database
from txfuzz.errors import UsageError
from txfuzz.execution.fault_injector import cautions, excuses_of, injector_for
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins, own_distributions
from txfuzz.plugin.registry import Registry
from txfuzz.report.campaign_result import CampaignFacts
from txfuzz.workload.campaign import Campaign
from txfuzz.workload.database.endpoints import level_words
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.campaign import campaign_in
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.runtime_errors import naming_url
from txfuzz.workload.yaml.writer import workload_text

_SETTING_NAMES = {"output_dir": "output"}  # settings with another name in the `campaign` stanza


@dataclass(frozen=True)
class HistoryMaker:
    """Where histories come from.

    database, command: what can run replays; at most one of them. found: the database's description.
    excuses: of each fault that may make it break its promise under its settings, why. cautions: settings that
    change the meaning of faults, and why it promises no more of transactions at several endpoints. skip_keys:
    called with the highest physical key that something else has used, if our own clients make the histories.
    """

    source: HistorySource
    database: Database | None = None
    command: ExternalCommand | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    excuses: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    skip_keys: Callable[[int], None] | None = None


@dataclass(frozen=True)
class CampaignSetup:
    """A campaign that is ready to run. workload_file: that of the first iteration."""

    settings: CampaignSettings
    registry: Registry
    workload_file: Path
    assembled: Assembled
    maker: HistoryMaker
    directory: RunDirectory
    deadline: Deadline

    def facts(self) -> CampaignFacts:
        """The facts of campaign.json that are known before the campaign runs."""
        assembled, registry = self.assembled, self.registry
        return CampaignFacts(
            workload=assembled.workload.name,
            isolation=assembled.isolation,
            levels=level_words(assembled.workload) if assembled.workload.database.endpoints else None,
            expect=assembled.expect,
            promised=assembled.promised,
            answers_for=assembled.answers_for,
            seed=assembled.workload.seed,
            arguments=self.settings.as_data(),
            adapter=assembled.workload.database.adapter,
            locks=tuple(sorted(capabilities_of(assembled.adapter).locks)),
            own_sql=assembled.workload.own_sql,
            locked=assembled.workload.locked,
            analyzers=tuple(each.name for each in assembled.analyzers),
            strategy=assembled.strategy.name,
            heuristics=() if assembled.strategy.blind else tuple(each.name for each in assembled.heuristics),
            database=self.maker.found,
            cautions=self.maker.cautions,
            excuses=assembled.excuses,
            versions={"txfuzz": __version__, "python": platform.python_version()},
            plugins=tuple(
                {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
                for plugin in registry.plugins
            ),
            problems=tuple(str(problem) for problem in registry.problems),
        )


def set_up(
    settings: CampaignSettings, interrupted: threading.Event, subscriber: Subscriber, resources: ExitStack
) -> CampaignSetup:
    """Check everything before a run directory is created, then open what the campaign needs.

    resources: closes what was opened. Raises a TxfuzzError.
    """
    settings = with_workload_defaults(settings)
    if settings.only_analyzes:
        settings.load.refuse("with --skip-run nothing is run")
        if settings.run_replay:
            raise UsageError("--run-replay with --skip-run needs --runner-cmd: there is no database")
        settings = as_it_was_run(settings)
    subscriber(Preparing("loading the plugins"))
    registry = load_plugins(
        strict=settings.strict_plugins, files=settings.plugin_files, seconds=settings.plugin_seconds
    )
    for sentence in (*map(str, registry.problems), *registry.clashes()):
        subscriber(Warned(sentence))
    path = _first_workload_file(settings)
    assembled, announced = _assembled(settings, registry, path, subscriber)
    url = _database_url(settings, assembled, path) if settings.runs else None
    deadline = Deadline(interrupted, settings.max_seconds)
    maker = _history_maker(settings, assembled, path, url, deadline, subscriber, resources)
    if settings.only_analyzes:
        assembled = replace(assembled, excuses=earlier_excuses(settings.output))
    directory = resources.enter_context(_run_directory(settings, assembled.workload.name, subscriber))
    directory.keep_plugins(registry.files)
    if not (settings.only_analyzes or settings.resume):
        write_text(original_workload_path(directory.path), workload_text(assembled.workload))
    for sentence in announced:
        subscriber(Warned(sentence))
    return CampaignSetup(settings, registry, path, assembled, maker, directory, deadline)


def set_up_worker(
    settings: CampaignSettings, path: Path, url: str | None, directory: Path, resources: ExitStack
) -> CampaignSetup:
    """What a worker of a campaign needs to run iterations.

    settings: of the campaign, with all defaults. path: of its workload. url: of the database, as
    `database_url_of` has it. directory: of this worker alone.
    """
    registry = load_plugins(
        strict=settings.strict_plugins, files=settings.plugin_files, seconds=settings.plugin_seconds
    )
    assembled, _ = _assembled(settings, registry, path, ignore)
    secret = _database_url(settings, assembled, path) if url is None else SecretText(url)
    deadline = Deadline(threading.Event(), settings.max_seconds)
    maker = _history_maker(settings, assembled, path, secret, deadline, ignore, resources)
    own = resources.enter_context(RunDirectory.reopen(directory))
    return CampaignSetup(settings, registry, path, assembled, maker, own, deadline)


def database_url_of(setup: CampaignSetup) -> str | None:
    """The URL of the campaign's database, as far as it is known here; None if it starts its own."""
    return _database_url(setup.settings, setup.assembled, setup.workload_file)


def with_workload_defaults(settings: CampaignSettings) -> CampaignSettings:
    """The settings, with those left open taken from the `campaign` stanza of the workload.

    Idempotent. A resumed campaign has all its settings already; one that only analyses histories takes
    only the seed and the expectation. Raises WorkloadError.
    """
    if not settings.resume:
        stanza = campaign_in(_first_workload_file(settings)) or Campaign()
        defaults = {_SETTING_NAMES.get(name, name): value for name, value in stanza.given().items()}
        if settings.only_analyzes:
            defaults = {name: defaults[name] for name in ("seed", "expect") if name in defaults}
        unset = {each.name for each in fields(settings) if getattr(settings, each.name) is None}
        settings = replace(settings, **{name: value for name, value in defaults.items() if name in unset})
    return replace(settings, iterations=settings.most_iterations)


def _first_workload_file(settings: CampaignSettings) -> Path:
    return first_workload(settings) or workload_path(settings.workload, settings.workload_dir)


def _assembled(
    settings: CampaignSettings, registry: Registry, path: Path, subscriber: Subscriber
) -> tuple[Assembled, tuple[str, ...]]:
    """And what is to be announced once everything is set up."""
    opens = settings.runs and settings.runner_cmd is None and not settings.resume
    choice = chosen_database(registry, settings.adapter, settings.database_url, opens=opens)
    workload = read_workload(path, InstalledVocabulary(registry, path), choice)
    if not settings.resume:  # else it was written with them
        workload = with_load(workload, settings.load)
    if not settings.only_analyzes:
        refuse_replay(workload, path)
    command = workload.campaign.runner_cmd if workload.campaign else None
    if settings.runner_cmd is not None and settings.runner_cmd == command:
        shown = command_without_secrets(settings.runner_cmd)
        subscriber(Warned(f"histories are made by the workload's own runner_cmd: {shown}"))
    if settings.history is not None and not settings.resume:
        check_made_by(read_history(settings.history), workload)
    assembled = assemble(
        replace(workload, campaign=None),  # already in the settings; workloads of iterations have none
        registry,
        isolation=settings.isolation,
        expect=settings.expect,
        seed=settings.seed,
        strategy=settings.strategy_name,
        checker_options=settings.checker_options,
        plugin_seconds=settings.plugin_seconds,
    )
    asks_all = workload.heuristics is None and not assembled.strategy.blind
    return assembled, tuple(_of_others(registry)) if asks_all else ()


def _of_others(registry: Registry) -> Iterator[str]:
    """A sentence for each installed distribution by somebody else whose heuristics are asked without being
    named by the workload. A plugin file was named on the command line."""
    own = own_distributions()
    named: dict[str, list[str]] = {}
    for entry in registry.all("heuristic"):
        if own and not entry.plugin.is_file and entry.plugin.distribution not in own:
            named.setdefault(f"{entry.plugin.distribution} {entry.plugin.version}", []).append(entry.name)
    for distribution, names in named.items():
        are = ("heuristic", "is") if len(names) == 1 else ("heuristics", "are")
        yield (
            f"the {are[0]} {listed(names)} of {distribution} {are[1]} asked as well, being installed: "
            "`heuristics` in the workload can name others"
        )


def _history_maker(
    settings: CampaignSettings,
    assembled: Assembled,
    path: Path,
    url: str | None,
    deadline: Deadline,
    subscriber: Subscriber,
    resources: ExitStack,
) -> HistoryMaker:
    """Open a database only if our own clients make the histories."""
    maker = HistoryMaker(ExistingHistories())
    if settings.runs and not deadline.interrupted.is_set():
        if settings.runner_cmd is not None:
            command = ExternalCommand(settings.runner_cmd, url, lambda line: subscriber(Warned(line)))
            maker = HistoryMaker(command, command=command)
        else:
            prepare()  # now rather than while the database waits for the next iteration
            scheduling = assembled.workload.scheduling
            clients = scheduling.clients + scheduling.directed
            adapter = assembled.adapter.name
            subscriber(Preparing(f"starting {adapter}" if url is None else f"connecting to {adapter}"))
            with naming_url(path, assembled.workload, settings.database_url):
                database = resources.enter_context(open_database(assembled.adapter, url, clients))
            maker = _clients(assembled, database, subscriber)
    source = maker.source
    resumed = settings.output if settings.resume else None
    has_first = resumed is not None and histories_in(resumed) > 0
    if settings.history is not None and not settings.only_analyzes and not has_first:
        source = ImportedHistory(settings.history, source)
    if settings.resume:
        source = ResumedHistories(source, maker.skip_keys)
    return replace(maker, source=source)


def _database_url(settings: CampaignSettings, assembled: Assembled, path: Path) -> SecretText | None:
    """The URL in a form that no traceback shows."""
    with naming_url(path, assembled.workload, settings.database_url):
        url = database_url(settings.database_url, assembled.workload)
        return None if url is None else SecretText(url)


def _clients(assembled: Assembled, database: Database, subscriber: Subscriber) -> HistoryMaker:
    injector_for(assembled.faults, database)  # may refuse, which must happen before there is a directory
    risks = (*assembled.because, *cautions(assembled.faults, database))
    for sentence in (*database.warnings(), *risks, *assembled.disclaimers):
        subscriber(Warned(sentence))
    source = ClientSource(database, assembled.isolation, assembled.faults)
    found = dict(database.describe())
    excuses = excuses_of(assembled.faults, database)
    return HistoryMaker(
        source, database, found=found, excuses=excuses, cautions=risks, skip_keys=source.skip_keys
    )


def _run_directory(settings: CampaignSettings, name: str, subscriber: Subscriber) -> RunDirectory:
    output = settings.output
    command_fills_it = output is not None and settings.skip_run and not histories_in(output)
    if settings.only_analyzes or command_fills_it or settings.resume:
        return RunDirectory.reopen(output)
    directory, moved = RunDirectory.create(output, name)
    if moved is not None:
        subscriber(Warned(f"{directory.path} held an earlier campaign, which was moved to {moved}"))
    return directory
