"""replay.yaml of an iteration, and the replays that a campaign runs itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.attribution.attribute import attribute
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import AnalysisResult, TransactionView
from txfuzz.campaign.directory.run_directory import IterationDirectory, write_bytes, write_json, write_text
from txfuzz.campaign.directory.values import ArtefactError, read_back
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.campaign.setup.preconditions import check_kind, doubt
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.campaign.sources.external_command import REPLAY_CODES, ExternalCommand
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.errors import HistoryError, UsageError
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.replay.external_history import result_of
from txfuzz.replay.near_cycle_replay import (
    ReplayedTargets,
    ReplayTarget,
    TargetResult,
    choose_target,
    replay_targets,
    targets_of,
)
from txfuzz.replay.replayer import Replayer, origins_of
from txfuzz.replay.stepper.recorder import recorded_edn, recorded_history
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.writer import workload_text

_CANDIDATES = 12  # near-cycles and anomalies that are considered without a database


@dataclass(frozen=True)
class Replays:
    """failed: logical key → number of near-cycles on it that did not close. notes: sentences for the user.
    result: the analysis of the history of the replays, if there is one."""

    failed: Mapping[int, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    result: AnalysisResult | None = None


@dataclass(frozen=True)
class KeptReplays:
    """What is read back of replay_result.json. failed: as in Replays. origins: see `with_origins`."""

    failed: Mapping[str, int]
    origins: Mapping[str, str] = field(default_factory=dict)


def write_replay(
    setup: CampaignSetup,
    place: IterationDirectory,
    history: History,
    result: AnalysisResult,
    workload: Workload,
    *,
    earlier: bool,
) -> Replays:
    """Write replay.yaml if there is anything to replay, and its results if the campaign replays it.

    earlier: an earlier campaign ran this iteration, and its replays are used again.
    """
    assembled, maker = setup.assembled, setup.maker
    kept_in = place.path / "replay_result.json"
    if earlier and kept_in.exists():
        kept = read_back(kept_in, KeptReplays)
        return Replays(_by_key(kept.failed, kept_in), result=_replayed(place, assembled, kept.origins))
    if setup.settings.lean and not setup.settings.run_replay:
        return Replays()
    found = targets_of(result, history, workload, assembled.promised)
    if maker.database is not None and setup.settings.run_replay:
        with Replayer(
            maker.database, workload.kind, assembled.isolation, options=workload.varied, stop=setup.deadline
        ) as player:
            closing = replay_targets(player, list(found), assembled.expect)
        return _by_database(place, closing, assembled)
    chosen = choose_target(islice(found, _CANDIDATES))
    replay = None if chosen is None else chosen.derived.candidates[0]
    _write(place, replay, chosen)
    if maker.command is None or not setup.settings.run_replay:
        return Replays()
    if chosen is None or replay is None or setup.deadline.is_set():
        return Replays(notes=("replay: nothing to replay",))
    return _by_command(place, chosen, replay, assembled, maker.command, setup.deadline)


def _by_database(place: IterationDirectory, closing: ReplayedTargets, assembled: Assembled) -> Replays:
    """Write the results of replays on our own sessions."""
    if closing.chosen is None or closing.chosen.result is None:
        _write(place, None, None)
        return Replays(closing.failed, ("replay: nothing to replay",))
    _write(place, closing.chosen.workload, closing.chosen.target)
    path = place.path / "replay_history.edn"
    write_bytes(path, recorded_edn(closing.chosen.operations))
    return _results(place, assembled, closing, recorded_history(closing.chosen.operations, str(path)))


def _by_command(
    place: IterationDirectory,
    target: ReplayTarget,
    workload: Workload,
    assembled: Assembled,
    command: ExternalCommand,
    deadline: Deadline,
) -> Replays:
    """Have the external command follow replay.yaml once. If it fails, the campaign goes on."""
    out = place.path / "replay_history.edn"
    try:
        command.make(place.path / "replay.yaml", out, deadline.is_set, accepted=REPLAY_CODES)
        history = read_history(out)
        check_kind(history, workload)
    except (UsageError, HistoryError) as error:
        return Replays(notes=(f"replay: {error}",))
    attribution = attribute(history, workload)
    if (doubted := doubt(attribution, workload)) is not None:
        return Replays(notes=(f"replay: {doubted}, so it does not count",))
    result = result_of(attribution.history, workload, assembled.expect, assembled.isolation)
    tried = TargetResult(target, workload, result, 1)
    failed = {} if target.what == "anomaly" or tried.closed else dict.fromkeys(target.derived.keys, 1)
    return _results(place, assembled, ReplayedTargets(tried, (tried,), failed), attribution.history)


def _results(
    place: IterationDirectory, assembled: Assembled, closing: ReplayedTargets, history: History
) -> Replays:
    """Write replay_result.json and replay_analysis.json. history: that of the chosen replay."""
    chosen = closing.chosen
    assert chosen is not None
    assert chosen.result is not None
    stanza = None if chosen.workload is None else chosen.workload.replay
    origins = {} if stanza is None else origins_of(stanza)
    data = {
        **chosen.result.to_json(),
        "origins": origins,
        "tried": [each.to_json() for each in closing.tried],
        "failed": {str(key): count for key, count in closing.failed.items()},
    }
    write_json(place.path / "replay_result.json", data)
    near = [each for each in closing.tried if each.target.what == "near-cycle" and each.schedules]
    parts = []
    if chosen.closed:
        parts.append(
            f"{chosen.target.anomaly} in {chosen.result.closed} of {chosen.result.attempts} attempts"
        )
    if near:
        parts.append(f"{sum(each.closed for each in near)} of {len(near)} near-cycles closed")
    note = f"replay: {'; '.join(parts) or 'nothing recurred'}"
    return Replays(closing.failed, (note,), _replayed(place, assembled, origins, history))


def _by_key(failed: Mapping[str, int], path: Path) -> dict[int, int]:
    try:
        return {int(key): count for key, count in failed.items()}
    except ValueError:
        raise ArtefactError(f"{path}: not written by this version of txfuzz: keys must be numbers") from None


def _replayed(
    place: IterationDirectory,
    assembled: Assembled,
    origins: Mapping[str, str],
    history: History | None = None,
) -> AnalysisResult:
    """Analyse the attempts in terms of the workload's transactions, and write replay_analysis.json."""
    if history is None:
        history = read_history(place.path / "replay_history.edn")
    analyzers = [ElleAnalyzer(max_near_cycles=0)]
    result = with_origins(analyze_history(history, assembled.expect, analyzers=analyzers), origins)
    write_json(place.path / "replay_analysis.json", result.to_json())
    return result


def with_origins(result: AnalysisResult, origins: Mapping[str, str]) -> AnalysisResult:
    """The result with the workload's names of transactions in place of those that the replay uses."""

    def view(each: TransactionView) -> TransactionView:
        name = each.template
        return each if name is None else replace(each, template=origins.get(name, name))

    anomalies = (replace(each, transactions=tuple(map(view, each.transactions))) for each in result.anomalies)
    return replace(result, anomalies=tuple(anomalies))


def _write(place: IterationDirectory, workload: Workload | None, target: ReplayTarget | None) -> None:
    path = place.path / "replay.yaml"
    if workload is None or target is None:
        path.unlink(missing_ok=True)  # left by an earlier analysis
        return
    header = f"Replay of {target.what}: {workload.about}\n"
    header += f"To follow it: txfuzz execute {path.name} --out FILE"
    write_text(path, workload_text(without_plugins(workload), header))


def without_plugins(workload: Workload) -> Workload:
    """A replay uses no heuristics or analyzers, so following it must not require them."""
    return replace(workload, analyzers=None, heuristics=None)
