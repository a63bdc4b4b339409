"""A scenario for tests of scenario files, and the complaint about one that is spoilt."""

from __future__ import annotations

import pytest

from txfuzz.errors import WorkloadError
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.yaml.scenario import parse_scenario
from workload_words import Words

# Every field of the format, and every form of a value
WHOLE = """\
version: 1
name: seats
about: Two people want a seat.
database: {adapter: postgres, isolation: read committed, url: $URL}
setup:
  - |
    CREATE TABLE seats (
      show int, seat int, booked_by text, booked_at timestamp, PRIMARY KEY (show, seat));
    INSERT INTO seats VALUES (1, 1, NULL, NULL), (1, 2, NULL, NULL);
  - CREATE TABLE log (who text);
workload:
  transactions:
    - name: book
      params: {who: [ann, bob], seat: [1, 2], day: 2026-03-01, most: [1.5, null, true]}
      isolation: serializable
      read_only: false
      deferrable: false
      retry: 2
      steps:
        - sql: SELECT booked_by, seat FROM seats WHERE show = 1 AND seat = :seat
          returns: {holder: booked_by, number: seat}
          rows: {0: abort, 2: ok}
        - sql: SAVEPOINT before
        - when: {holder: null, number: {ge: 1, le: ":most"}, who: not null, seat: 1}
          sql: UPDATE seats SET booked_by = :who, booked_at = :day WHERE show = 1 AND seat = :seat
          rows: {0: skip, 1: stop}
          on_error: {"23505": skip, "40001": {rollback_to: before}}
    - name: look
      read_only: true
      steps: [{sql: SELECT * FROM seats}]
invariants:
  - name: nobody sits on two seats
    sql: SELECT booked_by FROM seats GROUP BY booked_by HAVING count(booked_by) > 1
  - SELECT who FROM log GROUP BY who HAVING count(*) > 1
ignore: [seats.booked_at]
judge: serial
expect: strict-serializable
replay:
  isolation: read committed
  calls:
    - {transaction: book, params: {who: ann, seat: 1, day: 2026-03-01, most: null}}
    - {transaction: look}
  schedule: [1, 2, 1, 1, 2]
  fails: [nobody sits on two seats]
"""

SMALL = """\
version: 1
setup: CREATE TABLE t (k int, v int)
workload:
  transactions:
    - name: one
      steps:
"""


def parse(text: str, source: str = "s.yaml") -> Scenario:
    return parse_scenario(text, source, Words())


def steps(*lines: str, params: str = "", more: str = "") -> str:
    """A scenario of one transaction with these steps. more: fields of the whole."""
    text = SMALL + "".join(f"        - {line}\n" for line in lines)
    return (text.replace("      steps:", f"      params: {params}\n      steps:") if params else text) + more


def complaint(marked: str, source: str = "s.yaml") -> str:
    """The error about this text, without its position, which must be where the ¦ is."""
    before, mark, after = marked.partition("¦")
    assert mark
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    with pytest.raises(WorkloadError) as caught:
        parse(before + after, source)
    message = str(caught.value)
    place, sentence = f"{source}:{line}:{column}: ", message.split(": ", 1)[1]
    assert message == place + sentence
    assert "\n" not in message
    return sentence
