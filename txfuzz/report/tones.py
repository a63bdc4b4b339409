"""What a run came to, by a name for styles and in words: the same ones on every page and in every list."""

from __future__ import annotations

from txfuzz.analysis.result import Verdict

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
