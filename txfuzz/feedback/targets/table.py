"""Everything that an adjustment can change, and the values as JSON data.

Targets, by the kind of change that the workload has to allow (txfuzz.workload.allowed_changes):

  keys          `keys`: list of at least two logical keys, from 1. The choices of all transactions are
                narrowed to them, each to those that it began with; a choice of a single key, or with none
                of them, stays as it is.
                `choices`: list of {"transaction", "step", "keys"}, for choices with more or fewer keys.
                Raw SQL has an "argument" beside the step; "name" may stand for both. keys: a list, or
                {"range": [first, last]}. Choices that are not listed stay as they are.
                `keys.writes`: writes to a generation of a key, a whole number from 1.
  mix           `mix`: mapping of transaction → weight
  scheduling    `scheduling.clients`: whole number, from 1 to MOST_CLIENTS
                `scheduling.barrier_every`: whole number, at least 0
                `scheduling.transactions`: whole number, from 1; null for the duration that the workload
                began with, if it has one
                `init_schema`: true or false
                `directed`: list of directed schedules as in a workload file, each of transactions of the
                workload on keys that their choices have
  timing        `scheduling.think_time`: null, or {"least": seconds, "most": seconds, "before": "step",
                "write" or "commit"}
                `scheduling.sending`: "batched" or "stepped"
  rows          `keys.rows`: "fresh", "inserted" or "deleted"
  locks         `locks`: mapping of transaction → the lock or null of each of its reads without SQL
  forms         `forms`: mapping of transaction → the form or null of each of its operations without SQL
  plans         `plans`: mapping of option of the adapter → value
  layout        `layout`: the same, for options that decide how tables are made
  isolation     `isolation`: mapping of transaction → level; null for the workload's
  faults        `faults`: list of {"name", "at": [seconds]} or {"name", "every": seconds, "times": number
                or null}, for all faults of the workload, in their order; each may have "when": "commit" or
                "lock", a moment of a directed schedule for which it waits
  transactions  `transactions`: {"transactions": list as in a workload file, "mix": as above}

What a value leaves out (a choice, an option, the locks, forms or level of a transaction) stays as it is;
`before`, and `after` as it is recorded, are complete. Adjustments stay within the workload that the campaign
began with: no choice gets a key that it could not have there, no transaction without a weight gets one, and
none runs at a level that promises less. Otherwise a campaign would report anomalies that its workload cannot
have.
"""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.choices import CHOICES
from txfuzz.feedback.targets.database import LAYOUT, PLANS
from txfuzz.feedback.targets.directed import DIRECTED
from txfuzz.feedback.targets.faults import FAULTS
from txfuzz.feedback.targets.keys import KEYS, ROWS, WRITES
from txfuzz.feedback.targets.mix import MIX
from txfuzz.feedback.targets.modes import ISOLATION
from txfuzz.feedback.targets.scheduling import (
    BARRIER,
    CLIENTS,
    INIT_SCHEMA,
    SENDING_TARGET,
    THINK_TIME,
)
from txfuzz.feedback.targets.scheduling import (
    TRANSACTIONS as LENGTH,
)
from txfuzz.feedback.targets.statements import FORMS, LOCKS
from txfuzz.feedback.targets.target import Target
from txfuzz.feedback.targets.transactions import TRANSACTIONS

TARGETS: Mapping[str, Target] = {
    "keys": KEYS,
    "choices": CHOICES,
    "keys.writes": WRITES,
    "mix": MIX,
    "scheduling.clients": CLIENTS,
    "scheduling.barrier_every": BARRIER,
    "scheduling.transactions": LENGTH,
    "init_schema": INIT_SCHEMA,
    "scheduling.think_time": THINK_TIME,
    "scheduling.sending": SENDING_TARGET,
    "keys.rows": ROWS,
    "locks": LOCKS,
    "forms": FORMS,
    "plans": PLANS,
    "layout": LAYOUT,
    "isolation": ISOLATION,
    "faults": FAULTS,
    "transactions": TRANSACTIONS,
    "directed": DIRECTED,
}


def target_named(name: str) -> Target:
    """UsageError for an unknown name."""
    if name not in TARGETS:
        raise UsageError(f"unknown target {name!r}: {did_you_mean(str(name), TARGETS)}")
    return TARGETS[name]
