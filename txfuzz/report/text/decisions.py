"""What feedback decided, in a sentence that fits a screen."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.common.sentences import listed
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.text.notes import target_text, value_text

_LONGEST = 24  # characters of a value that is worth showing
_NAMED = 3


def decision_sentence(decisions: Sequence[Adjustment]) -> str:
    """What changes next, and the reason of the first change; empty if nothing changes."""
    if not decisions:
        return ""
    text = listed(dict.fromkeys(map(_change, decisions)), most=_NAMED)
    return f"{text} changed, because {decisions[0].reason}"


def _change(decision: Adjustment) -> str:
    """With its values, where they are short."""
    what = target_text(decision.target)
    before, after = (value_text(value, decision.target) for value in (decision.before, decision.after))
    return what if max(len(before), len(after)) > _LONGEST else f"{what} ({before} → {after})"
