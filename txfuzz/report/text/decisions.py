"""What feedback decided, in a sentence that fits a screen."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.common.sentences import listed
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.text.notes import value_text

_LONGEST = 24  # characters of a value that is worth showing
_NAMED = 3


def decision_sentence(decisions: Sequence[Adjustment]) -> str:
    """What changes next, and the reason of the first change; empty if nothing changes."""
    if not decisions:
        return ""
    changes = dict.fromkeys(map(_change, decisions))
    return f"{listed(changes, most=_NAMED)}, because {decisions[0].reason}"


def _change(decision: Adjustment) -> str:
    """ "clients 8 → 16", by the name that it has in a workload file; without values where they are long."""
    what = "keys" if decision.target == "choices" else decision.target.rpartition(".")[2].replace("_", " ")
    before, after = (value_text(value, decision.target) for value in (decision.before, decision.after))
    if max(len(before), len(after)) > _LONGEST:
        return f"other {what}"
    return f"{before} → {after}" if what in before else f"{what} {before} → {after}"
