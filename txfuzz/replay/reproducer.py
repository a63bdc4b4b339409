"""Recognises equal reproducers, whatever their sessions and keys are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, permutations

from txfuzz.replay.reductions import Shape, tidy
from txfuzz.replay.schedule.interleavings import Interleavings
from txfuzz.replay.schedule.mvcc_model import Event
from txfuzz.replay.schedule.replay_workload import Role
from txfuzz.replay.signature import Signature
from txfuzz.workload.model import Workload

_MOST = 720  # ways to number the sessions: all of them for up to six


def reproducer_mark(shape: Shape, workload: Workload, signature: Signature) -> str:
    """Equal for reproducers that differ only in names and in the order of steps that commute.

    16 hexadecimal digits, a hash of the statements, their order, the level, and whether rows exist in
    advance. No steps commute where real time or process order matters. workload: with this shape as replay.
    """
    if signature.anomaly.endswith(("-realtime", "-process")):
        content = _content(tidy(shape))
    else:
        content = min(
            _content(tidy(replace(shape, order=_normal(shape, roles))))
            for roles in islice(permutations(shape.roles), _MOST)
        )
    around = (workload.database.adapter, workload.kind.value, signature.isolation, workload.keys.rows)
    return hashlib.sha256(repr((around, content)).encode()).hexdigest()[:16]


def _normal(shape: Shape, roles: Sequence[Role]) -> tuple[Event, ...]:
    return Interleavings({role.alias: role.accesses for role in roles}).normal(shape.order)


def _content(shape: Shape) -> tuple[str, str]:
    """What the transactions of a tidied shape do, and in which order."""
    transactions = [(replace(role.transaction, name=""), role.ends) for role in shape.roles]
    return repr(transactions), repr(shape.order)
