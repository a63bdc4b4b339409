"""What a campaign may vary: how our tables are made, and by which plans statements get at rows."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.plugin_api import Kind

PARTITIONS = 4
PLAIN, HASH, SECONDARY, PARTITIONED = "primary-key", "hash-index", "secondary-index", "partitions"
LAYOUTS = (PLAIN, HASH, SECONDARY, PARTITIONED)

# Plan → settings of a session. PostgreSQL obeys unless there is no other way.
PLAN_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "default": (),
    "seq": ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"),
    "index": ("enable_seqscan", "enable_bitmapscan"),
    "bitmap": ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan"),
}
PLANS = tuple(PLAN_SETTINGS)


def plan_settings(plan: str) -> dict[str, str]:
    """Setting → value, of a new session."""
    return dict.fromkeys(PLAN_SETTINGS[plan], "off")


def create_statements(table: str, kind: Kind, declared: str, layout: str) -> tuple[str, ...]:
    """declared: the columns, with the primary key. table: qualified."""
    if layout == PARTITIONED:
        return (
            f"CREATE TABLE {table} ({declared}) PARTITION BY HASH (key)",
            *(
                f"CREATE TABLE {table}_part{part} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
                for part in range(PARTITIONS)
            ),
        )
    create = f"CREATE TABLE {table} ({declared})"
    if layout == HASH:  # cheaper to look up than the primary key, so reads take it
        return create, f"CREATE INDEX ON {table} USING hash (key)"
    if layout == SECONDARY:  # so that each write makes new entries in all indexes
        column = "cardinality(val)" if kind is Kind.LIST_APPEND else "val"
        return create, f"CREATE INDEX ON {table} ({column})"
    return (create,)
