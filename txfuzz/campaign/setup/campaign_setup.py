"""Everything that is decided, opened and refused before the first iteration of a campaign."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from txfuzz.analysis.dependencies.connectivity import prepare
from txfuzz.campaign.directory.run_directory import RunDirectory
from txfuzz.campaign.events import Subscriber, Warned
from txfuzz.campaign.setup.preconditions import check_made_by, refuse_replay
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble, database_url
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.clients import ClientSource
from txfuzz.campaign.sources.contract import HistorySource
from txfuzz.campaign.sources.existing_histories import ExistingHistories, ImportedHistory, as_it_was_run
from txfuzz.campaign.sources.external_command import ExternalCommand
from txfuzz.campaign.sources.resumed import ResumedHistories, first_workload, histories_in
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.common.secrets import SecretText, command_without_secrets
from txfuzz.common.version import __version__
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import UsageError
from txfuzz.execution.fault_injector import cautions, injector_for
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.report.campaign_result import CampaignFacts
from txfuzz.workload.campaign import Campaign
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.campaign import campaign_in
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.runtime_errors import naming_url

_SETTING_NAMES = {"output_dir": "output"}  # those that the `campaign` stanza calls otherwise


@dataclass(frozen=True)
class HistoryMaker:
    """Where histories come from, and what was learnt when that was opened.

    database, command: what follows replays; at most one of them. found: what is known of the database.
    cautions: settings under which the injected faults may break its promise by right.
    """

    source: HistorySource
    database: Database | None = None
    command: ExternalCommand | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class CampaignSetup:
    """A campaign that is ready to run. workload_file: of the first iteration."""

    settings: CampaignSettings
    registry: Registry
    workload_file: Path
    assembled: Assembled
    maker: HistoryMaker
    directory: RunDirectory
    deadline: Deadline

    def facts(self) -> CampaignFacts:
        """campaign.json as far as it is known by now."""
        assembled, registry = self.assembled, self.registry
        return CampaignFacts(
            workload=assembled.workload.name,
            isolation=assembled.isolation,
            expect=assembled.expect,
            promised=assembled.promised,
            answers_for=assembled.answers_for,
            seed=assembled.workload.seed,
            arguments=self.settings.as_data(),
            adapter=assembled.workload.database.adapter,
            analyzers=tuple(each.name for each in assembled.analyzers),
            heuristics=() if self.settings.open_loop else tuple(each.name for each in assembled.heuristics),
            database=self.maker.found,
            cautions=self.maker.cautions,
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
    """Refuse what cannot be done while there is no run directory yet, then open what the campaign needs.

    resources: closes it. Raises a TxfuzzError.
    """
    settings = with_workload_defaults(settings)
    if settings.only_analyzes:
        if settings.run_replay:
            raise UsageError("--run-replay needs a database or a --runner-cmd: not with --skip-run alone")
        settings = as_it_was_run(settings)
    registry = load_plugins(
        strict=settings.strict_plugins, files=settings.plugin_files, seconds=settings.plugin_seconds
    )
    for sentence in (*map(str, registry.problems), *registry.clashes()):
        subscriber(Warned(sentence))
    path = _first_workload_file(settings)
    assembled = _assembled(settings, registry, path, subscriber)
    url = _database_url(settings, assembled, path) if settings.runs else None
    deadline = Deadline(interrupted, settings.max_seconds)
    maker = _history_maker(settings, assembled, path, url, deadline, subscriber, resources)
    directory = resources.enter_context(_run_directory(settings, assembled.workload.name, subscriber))
    directory.keep_plugins(registry.files)
    return CampaignSetup(settings, registry, path, assembled, maker, directory, deadline)


def with_workload_defaults(settings: CampaignSettings) -> CampaignSettings:
    """The settings, with what the `campaign` stanza of the workload says where they leave it open.

    Calling it again changes nothing. A campaign that is resumed has all of them, and one that analyses
    histories again is about those that are there. Raises WorkloadError.
    """
    if not settings.resume:
        stanza = campaign_in(_first_workload_file(settings)) or Campaign()
        said = {_SETTING_NAMES.get(name, name): value for name, value in stanza.given().items()}
        if settings.only_analyzes:
            said = {name: said[name] for name in ("seed", "expect") if name in said}
        unset = {each.name for each in fields(settings) if getattr(settings, each.name) is None}
        settings = replace(settings, **{name: value for name, value in said.items() if name in unset})
    return replace(settings, iterations=settings.most_iterations)


def _first_workload_file(settings: CampaignSettings) -> Path:
    return first_workload(settings) or workload_path(settings.workload, settings.workload_dir)


def _assembled(
    settings: CampaignSettings, registry: Registry, path: Path, subscriber: Subscriber
) -> Assembled:
    workload = read_workload(path, InstalledVocabulary(registry, path))
    if not settings.only_analyzes:
        refuse_replay(workload, path)
    command = workload.campaign.runner_cmd if workload.campaign else None
    if settings.runner_cmd is not None and settings.runner_cmd == command:
        shown = command_without_secrets(settings.runner_cmd)
        subscriber(Warned(f"histories are made by the command that the workload names: {shown}"))
    if settings.history is not None and not settings.resume:
        check_made_by(read_history(settings.history), workload)
    return assemble(
        replace(workload, campaign=None),  # the settings have it by now; no iteration is a campaign
        registry,
        isolation=settings.isolation,
        expect=settings.expect,
        seed=settings.seed,
        checker_options=settings.checker_options,
        plugin_seconds=settings.plugin_seconds,
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
    """A database is opened only where our own clients make the histories."""
    maker = HistoryMaker(ExistingHistories())
    skip_keys = None
    if settings.runs and not deadline.interrupted.is_set():
        if settings.runner_cmd is not None:
            command = ExternalCommand(settings.runner_cmd, url, lambda line: subscriber(Warned(line)))
            maker = HistoryMaker(command, command=command)
        else:
            with naming_url(path, assembled.workload, settings.database_url):
                database = resources.enter_context(_opened(assembled, url))
            maker, skip_keys = _clients(assembled, database, subscriber)
    source = maker.source
    if settings.history is not None and not settings.only_analyzes and not _has_first_history(settings):
        source = ImportedHistory(settings.history, source)
    if settings.resume:
        source = ResumedHistories(source, skip_keys)
    return replace(maker, source=source)


def _database_url(settings: CampaignSettings, assembled: Assembled, path: Path) -> SecretText | None:
    """In a form that no traceback shows."""
    with naming_url(path, assembled.workload, settings.database_url):
        url = database_url(settings.database_url, assembled.workload)
        return None if url is None else SecretText(url)


def _opened(assembled: Assembled, url: str | None) -> AbstractContextManager[Database]:
    prepare()  # now, and not while a database waits for the next iteration
    return open_database(assembled.adapter, url, assembled.workload.scheduling.clients)


def _clients(
    assembled: Assembled, database: Database, subscriber: Subscriber
) -> tuple[HistoryMaker, Callable[[int], None]]:
    injector_for(assembled.faults, database)  # refuses, while there is no directory yet
    risks = cautions(assembled.faults, database)
    for sentence in (*database.warnings(), *risks, *assembled.disclaimers):
        subscriber(Warned(sentence))
    source = ClientSource(database, assembled.isolation, assembled.faults)
    return HistoryMaker(source, database, found=dict(database.describe()), cautions=risks), source.skip_keys


def _has_first_history(settings: CampaignSettings) -> bool:
    """Is a campaign resumed whose first iteration was run?"""
    return settings.resume and settings.output is not None and histories_in(settings.output) > 0


def _run_directory(settings: CampaignSettings, name: str, subscriber: Subscriber) -> RunDirectory:
    output = settings.output
    command_fills_it = output is not None and settings.skip_run and not histories_in(output)
    if settings.only_analyzes or command_fills_it or settings.resume:
        return RunDirectory.reopen(output)
    directory, moved = RunDirectory.create(output, name)
    if moved is not None:
        subscriber(Warned(f"{directory.path} held an earlier campaign, which is now {moved}"))
    return directory
