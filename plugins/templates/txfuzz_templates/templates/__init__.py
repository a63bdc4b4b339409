"""The templates, by what they are about."""

from __future__ import annotations

from txfuzz.plugin_api import Template

from .bank import AUDIT, TRANSFER
from .claims import CLAIM
from .counter import COUNT, INCREMENT
from .long_fork import FORK_READ, FORK_WRITE
from .read_modify_write import RMW, RMW_LOCKED
from .savepoints import ROLLBACK, ROLLBACK_LOCKED
from .sets import SET_ADD, SET_READ
from .upserts import DO_NOTHING, MERGE

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
