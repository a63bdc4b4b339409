"""The steps of reading and analysing a history, as whoever watches is told of them."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.history.reader import READING

DEPENDENCIES = "inferring dependencies"
ANOMALIES = "looking for anomalies"
CYCLES = "looking for cycles"
MEASURING = "measuring contention"
NEAR_CYCLES = "looking for near-cycles"

# Of the time for correct histories of 100,000 transactions and more
SHARES: Mapping[str, float] = {
    READING: 0.66,
    DEPENDENCIES: 0.02,
    ANOMALIES: 0.02,
    CYCLES: 0.08,
    MEASURING: 0.06,
    NEAR_CYCLES: 0.16,
}
