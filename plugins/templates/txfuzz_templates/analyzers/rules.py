"""What counts as an anomaly: all of it, or what the expected model forbids."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import canonical, implies, option, prohibited

EXPECT, ALWAYS = "expect", "always"


def against_option() -> Any:
    return option(
        EXPECT,
        "what is an anomaly: `expect`, only what contradicts the expected model; `always`, all of it",
        choices=(EXPECT, ALWAYS),
    )


def shown_option() -> Any:
    return option(5, "how many anomalies of each type are explained", least=1)


def forbids(expect: str, anomaly: str) -> bool:
    """Does the model prohibit this anomaly of Elle's?"""
    return anomaly in prohibited(canonical(expect))


def forbids_stale_reads(expect: str) -> bool:
    """Does the model hold transactions to real time?"""
    return forbids(expect, "G-single-item-realtime")


def forbids_half_seen(expect: str) -> bool:
    """Does the model make the writes of a transaction visible together or not at all?"""
    return forbids(expect, "G-single-item") or implies(expect, "read-atomic")
