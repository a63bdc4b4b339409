"""What a crowd came to, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from txfuzz.check.crowd import BrokenInvariant, CrowdResult
from txfuzz.check.serial.outcome import Ending
from txfuzz.check.story import found_text
from txfuzz.common.sentences import counted, listed


def crowd_sentences(crowd: CrowdResult) -> Iterator[str]:
    """Its size and how transactions ended, then what was broken."""
    aborted = crowd.endings.get(Ending.ABORTED, 0)
    came = f"{aborted:,} aborted for good" if aborted else "none aborted for good"
    codes = [f"{code} ×{number:,}" for code, number in sorted(crowd.aborted.items())]
    met = f"; met {listed(codes)}" if codes else ""
    held = "" if crowd.broken else f"; the invariants held at all {crowd.quiet_points:,} quiet points"
    ran = f"{counted(crowd.transactions, 'transaction')} in {crowd.seconds:.1f} s"
    yield f"Crowd of {crowd.clients} at {crowd.isolation.upper()}: {ran}, {came}{met}{held}."
    for broken in crowd.broken:
        yield _broken(crowd, broken)


def _broken(crowd: CrowdResult, broken: BrokenInvariant) -> str:
    ran = Counter(each.transaction for each in broken.since if each.ending is not Ending.ABORTED)
    names = [f"{name} ×{number:,}" for name, number in ran.most_common()]
    what = listed(names) if names else "nothing"
    if broken.in_series is None:
        series = ""
    elif broken.in_series:
        series = " The same transactions break it one after the other, too."
    else:
        series = " The same transactions, one after the other, keep it."
    return (
        f"Broken by the crowd at {crowd.isolation.upper()} after {crowd.seconds:.1f} s: {broken.name}. "
        f"{found_text(broken.rows)}. "
        f"Since it was last seen to hold, {what} had run.{series}"
    )
