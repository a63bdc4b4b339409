"""feedback.json: what the feedback knows of an iteration whose history has stayed with its worker.

A campaign that is resumed shows its strategy the earlier iterations again. Where there is a history, it is
analysed again for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from txfuzz.analysis.dependencies.coverage import DangerousStructure, Refusal, StepDependency
from txfuzz.analysis.near_cycles.pursuit import Pursuit
from txfuzz.analysis.result import as_data
from txfuzz.analysis.result_data import restored_result
from txfuzz.campaign.directory.run_directory import IterationDirectory, write_json
from txfuzz.campaign.directory.values import ArtefactError, json_in, read_back
from txfuzz.campaign.iterations.run import RanIteration
from txfuzz.campaign.sources.resumed import has_history, read_execution
from txfuzz.feedback.contract import Coverage
from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
from txfuzz.history.course import Stretch


@dataclass(frozen=True)
class Seen:
    """A feature, which is one of the three, and how often it was seen."""

    times: int
    dependency: StepDependency | None = None
    structure: DangerousStructure | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class KeptIteration:
    """The fields are those of RanIteration that no other file of the iteration has."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)
    pursued: Pursuit | None = None
    directed: tuple[DirectedOutcome, ...] = ()
    coverage: tuple[Seen, ...] | None = None
    course: tuple[Stretch, ...] = ()
    directions: tuple[Direction | None, ...] = ()


def keep_iteration(files: IterationDirectory, ran: RanIteration) -> None:
    """ran: not settled."""
    kept = KeptIteration(
        ran.seconds,
        ran.notes,
        {str(key): count for key, count in ran.failed.items()},
        ran.pursued,
        ran.directed,
        None if ran.coverage is None else _seen(ran.coverage),
        ran.course,
        ran.directions,
    )
    write_json(files.feedback, as_data(kept))


def kept_iteration(files: IterationDirectory) -> RanIteration | None:
    """None if there is a history, or nothing. ArtefactError for a file that cannot be used."""
    if has_history(files) or not files.feedback.exists():
        return None
    kept = read_back(files.feedback, KeptIteration)
    replayed = files.path / "replay_analysis.json"
    try:
        return RanIteration(
            restored_result(json_in(files.analysis)),
            read_execution(files),
            kept.seconds,
            None,
            kept.notes,
            {int(key): count for key, count in kept.failed.items()},
            restored_result(json_in(replayed)) if replayed.exists() else None,
            kept.pursued,
            kept.directed,
            None if kept.coverage is None else _coverage(kept.coverage),
            kept.course,
            kept.directions,
            settled=False,
        )
    except FileNotFoundError as error:
        raise ArtefactError(f"{error.filename}: is missing, so the campaign cannot be resumed") from None
    except ValueError as error:
        raise ArtefactError(f"{files.path}: not written by this version of txfuzz: {error}") from None


def _seen(coverage: Coverage) -> tuple[Seen, ...]:
    found = []
    for feature, times in coverage.items():
        match feature:
            case StepDependency():
                found.append(Seen(times, dependency=feature))
            case DangerousStructure():
                found.append(Seen(times, structure=feature))
            case Refusal():
                found.append(Seen(times, refusal=feature))
    return tuple(found)


def _coverage(seen: tuple[Seen, ...]) -> Coverage:
    features = ((each.dependency or each.structure or each.refusal, each.times) for each in seen)
    return {feature: times for feature, times in features if feature is not None}
