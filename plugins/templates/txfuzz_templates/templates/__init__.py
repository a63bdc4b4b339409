"""The templates."""

from __future__ import annotations

from txfuzz.plugin_api import Template

from .jepsen import AUDIT, COUNT, FORK_READ, FORK_WRITE, INCREMENT, SET_ADD, SET_READ, TRANSFER
from .sql_idioms import CLAIM, DO_NOTHING, MERGE, RMW, RMW_LOCKED, ROLLBACK, ROLLBACK_LOCKED

ALL: tuple[Template, ...] = (
    TRANSFER,
    AUDIT,
    INCREMENT,
    COUNT,
    CLAIM,
    SET_ADD,
    SET_READ,
    FORK_WRITE,
    FORK_READ,
    RMW,
    RMW_LOCKED,
    ROLLBACK,
    ROLLBACK_LOCKED,
    MERGE,
    DO_NOTHING,
)
