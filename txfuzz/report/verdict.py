"""What was found, in one sentence that is fair to the database.

A history is checked against a model that may be stronger than what the isolation level promises.
An anomaly that the promise allows is a danger to the application, not a database bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txfuzz.analysis.checker.consistency import friendly, is_model, model_text, prohibited
from txfuzz.analysis.explain.headlines import telling_type
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.common.sentences import listed

_STRONGEST = "strict-serializable"  # prohibits every anomaly that the checker knows

# What a run came to, by a name for styles: the same words on every page and in every list.
# In the order of a list that is sorted by verdict
TONES = {
    "broken": "promise broken",
    "known": "promise broken (known)",
    "allowed": "anomalies found",
    "unknown": "no verdict",
    "valid": "nothing found",
    "none": "not judged",
}
NOT_SAFE = "not safe"  # instead of "anomalies found", where one's own transactions are checked


def tone_of_verdict(verdict: Verdict) -> str:
    """Where no promise of the database is known to be broken."""
    return "allowed" if verdict is Verdict.INVALID else verdict.value


def verdict_sentence(result: AnalysisResult, isolation: str | None, promised: str | None) -> str:
    """One true sentence about a history.

    isolation: the level of the history, as the database calls it. promised: the consistency model that
    this level promises, as Elle calls it. None if unknown; a level without a promise is one at which the
    workload's own SQL may be the cause (txfuzz.workload.sql.blame), or its faults with the server's settings.
    """
    broken = against(result, promised)
    if promised is not None and broken:
        denied = _denied(isolation, promised, broken)
        return f"{_found(result, broken)}; the database broke its promise: {denied}."
    if result.verdict is Verdict.VALID:
        return _nothing(result)
    if result.verdict is Verdict.UNKNOWN:
        return f"No verdict: {_ended(result.reason or 'the history was not judged')}"
    if not result.anomaly_types:
        return f"Not {model_text(result.expect)}: {_ended(result.reason or 'no reason was given')}"
    found = _contradiction(result)
    if isolation is not None and promised is None:
        return (
            f"{found}; at {_level(isolation)} the workload's own SQL or its faults may be the cause: the "
            f"database is not known to have broken a promise, but an application that needs "
            f"{friendly(result.expect)} is not safe here."
        )
    if promised is None or not set(result.anomaly_types) <= prohibited(_STRONGEST):
        return f"{found}."
    return (
        f"{found}; {_level(isolation)} promises {model_text(promised)}, which allows "
        f"{listed(in_order(result.anomaly_types))}: this is not a database bug, but an application that "
        f"needs {friendly(result.expect)} is not safe here."
    )


def no_verdict(reasons: Sequence[str | None]) -> str:
    """Why a campaign has no verdict. reasons: why each iteration has none; None if it has one."""
    by_reason: dict[str, list[int]] = {}
    for number, reason in enumerate(reasons):
        if reason is not None:
            by_reason.setdefault(reason or "a history was not judged", []).append(number)
    if len(reasons) == sum(map(len, by_reason.values())):
        return "; ".join(sorted(by_reason))
    said = []
    for reason, numbers in by_reason.items():
        iterations = "iteration" if len(numbers) == 1 else "iterations"
        said.append(f"{reason} (in {iterations} {listed(map(str, numbers))})")
    valid = len(reasons) - sum(map(len, by_reason.values()))
    others = "the other iteration is" if valid == 1 else f"the other {valid:,} iterations are"
    return f"{'; '.join(said)}; {others} valid"


def against(result: AnalysisResult, promised: str | None) -> tuple[str, ...]:
    """The anomaly types found, whether expected or not, that contradict what was promised."""
    if promised is None:
        return ()
    return tuple(in_order({*result.all_types, *result.anomaly_types} & prohibited(promised)))


def in_order(types: Iterable[str]) -> list[str]:
    """Types of anomalies, the most telling first."""
    return sorted(types, key=lambda name: (telling_type(name), name))


def allowed_types(result: AnalysisResult) -> tuple[str, ...]:
    """The anomaly types found that the expected model allows."""
    return tuple(sorted(set(result.all_types) - set(result.anomaly_types)))


def _contradiction(result: AnalysisResult) -> str:
    """What contradicts the model, and what breaks an analyzer's own rule."""
    known = prohibited(_STRONGEST)
    if not is_model(result.expect):
        types = in_order(result.anomaly_types)
        return f"Found {listed(types)}, which contradict{_s(types)} {model_text(result.expect)}"
    types = [name for name in in_order(result.anomaly_types) if name in known]
    own = [name for name in result.anomaly_types if name not in known]
    said = []
    if types:
        said.append(f"{listed(types)}, which contradict{_s(types)} {model_text(result.expect)}")
    if own:
        said.append(f"{listed(own)}, which an analyzer rejects")
    return f"Found {', and '.join(said)}"


def _found(result: AnalysisResult, broken: Sequence[str]) -> str:
    """The verdict itself, which precedes the broken promise so that it is not hidden."""
    if result.verdict is Verdict.INVALID and result.anomaly_types:
        return _contradiction(result)
    verdict = "Nothing contradicts" if result.verdict is Verdict.VALID else "No verdict against"
    were = "was" if len(broken) == 1 else "were"
    return f"{verdict} {model_text(result.expect)}, but {listed(broken)} {were} found"


def _nothing(result: AnalysisResult) -> str:
    allowed = allowed_types(result)
    were = "was" if len(allowed) == 1 else "were"
    also = f"; {listed(allowed)} {were} found, which it allows" if allowed else ""
    return f"Nothing in this history contradicts {model_text(result.expect)}{also}."


def _level(isolation: str | None) -> str:
    return f"the isolation level {isolation}" if isolation else "the isolation level"


def _denied(isolation: str | None, promised: str, broken: Sequence[str]) -> str:
    """Which promise it was; the model is not repeated if the level has the same name."""
    model = friendly(promised)
    if isolation is not None and "-".join(isolation.lower().split()) == model:
        return f"{_level(isolation)} does not allow {listed(broken)}"
    return f"{_level(isolation)} promises {model_text(model)}, which does not allow {listed(broken)}"


def _s(subjects: Sequence[str]) -> str:
    """The verb's ending."""
    return "s" if len(subjects) == 1 else ""


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
