"""`--write-baseline` onto a file that people have reviewed: what stays stands there as it did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txfuzz.errors import UsageError
from txfuzz.report.baseline import AcceptedAnomaly, BaselineEntry, baseline_text, read_baseline
from txfuzz.report.baseline_edit import edited

REVIEWED = """\
# Reviewed by the storage team.
version: 1   # of the form

expected:
  # the duty roster
  - adapter: postgres
    isolation: repeatable read
    expect: serializable
    anomalies:
      - {type: G2-item}   # write skew: the roster checks again before it is published
      # seen once, in spring
      - type: lost-update   # narrow
        signatures: [one, two]
      - "G1a"

  # the archive
  - adapter: postgres
    isolation: read committed
    expect: serializable
    anomalies: []   # none so far

# the end
"""
ROSTER = ("postgres", "repeatable read", "serializable")
ARCHIVE = ("postgres", "read committed", "serializable")
NARROW = AcceptedAnomaly("lost-update", ("one", "two"))


def changed(wanted: BaselineEntry, text: str = REVIEWED) -> list[str]:
    """The lines that differ: `-` for those that went, `+` for those that came."""
    after = edited(text, "b.yaml", wanted)
    before = {each.place: each for each in read_baseline(text, "b.yaml")} | {wanted.place: wanted}
    read = {each.place: set(each.anomalies) for each in read_baseline(after, "b.yaml")}
    assert read == {place: set(each.anomalies) for place, each in before.items()}
    old, new = text.splitlines(), after.splitlines()
    return [f"-{line}" for line in old if line not in new] + [f"+{line}" for line in new if line not in old]


def test_nothing_new_changes_nothing() -> None:
    same = BaselineEntry(*ROSTER, (AcceptedAnomaly("G1a"), AcceptedAnomaly("G2-item"), NARROW))
    assert edited(REVIEWED, "b.yaml", same) == REVIEWED


def test_one_more() -> None:
    wanted = BaselineEntry(
        *ROSTER, (AcceptedAnomaly("G-single"), AcceptedAnomaly("G1a"), AcceptedAnomaly("G2-item"), NARROW)
    )
    assert changed(wanted) == ["+      - {type: G-single}"]


def test_a_comment_goes_with_its_anomaly() -> None:
    assert changed(BaselineEntry(*ROSTER, (AcceptedAnomaly("G1a"), AcceptedAnomaly("G2-item")))) == [
        "-      # seen once, in spring",
        "-      - type: lost-update   # narrow",
        "-        signatures: [one, two]",
    ]


def test_a_type_that_is_no_longer_narrow() -> None:
    wanted = BaselineEntry(
        *ROSTER, (AcceptedAnomaly("G1a"), AcceptedAnomaly("G2-item"), AcceptedAnomaly("lost-update"))
    )
    assert changed(wanted) == [
        "-      - type: lost-update   # narrow",
        "-        signatures: [one, two]",
        "+      - {type: lost-update}   # narrow",
    ]


def test_the_first_and_the_last_of_an_entry() -> None:
    assert changed(BaselineEntry(*ARCHIVE, (AcceptedAnomaly("G1a"), NARROW))) == [
        "-    anomalies: []   # none so far",
        "+    anomalies:   # none so far",
        "+      - {type: G1a}",
        "+      - {type: lost-update, signatures: [one, two]}",
    ]
    alone = changed(BaselineEntry(*ROSTER))
    assert "+    anomalies: []" in alone
    assert "-      - {type: G2-item}   # write skew: the roster checks again before it is published" in alone


def test_another_database() -> None:
    after = edited(REVIEWED, "b.yaml", BaselineEntry("mariadb", "REPEATABLE READ", "serializable", (NARROW,)))
    start, end = REVIEWED.split("\n# the end\n")
    assert after == (
        f"{start}  - adapter: mariadb\n    isolation: REPEATABLE READ\n    expect: serializable\n"
        f"    anomalies:\n      - {{type: lost-update, signatures: [one, two]}}\n\n# the end\n{end}"
    )
    empty = "version: 1\nexpected: []   # nothing yet\n"
    assert changed(BaselineEntry(*ROSTER, (NARROW,)), empty)[0:2] == [
        "-expected: []   # nothing yet",
        "+expected:   # nothing yet",
    ]


FLOW = "version: 1\nexpected: [{adapter: a, isolation: b, expect: serializable, anomalies: [G1a]}]\n"


def test_a_layout_of_several_things_a_line() -> None:
    wanted = BaselineEntry("a", "b", "serializable", (AcceptedAnomaly("G0"),))
    assert read_baseline(edited(FLOW, "b.yaml", wanted), "b.yaml") == (wanted,)
    with pytest.raises(UsageError, match=r"^b\.yaml: cannot be changed without losing its comments"):
        edited(f"# mine\n{FLOW}", "b.yaml", wanted)


TYPES = st.sampled_from(["G0", "G1a", "G2-item", "lost-update"])
SIGNATURES = st.none() | st.lists(st.sampled_from(["s", "t"]), unique=True).map(tuple)
ANOMALIES = st.lists(st.builds(AcceptedAnomaly, TYPES, SIGNATURES), unique_by=lambda each: each.type).map(
    tuple
)
ENTRIES = st.lists(
    st.builds(BaselineEntry, st.sampled_from(["a", "b"]), st.just("x y"), st.just("serializable"), ANOMALIES),
    unique_by=lambda each: each.place,
)


@given(
    ENTRIES,
    st.builds(BaselineEntry, st.sampled_from("abc"), st.just("x y"), st.just("serializable"), ANOMALIES),
)
def test_any_change_of_what_is_written_here(baseline: list[BaselineEntry], wanted: BaselineEntry) -> None:
    mark = "   # kept"
    lines = baseline_text(baseline).splitlines()
    text = "\n".join(line + mark if "adapter" in line else line for line in lines) + "\n"
    after = edited(text, "b.yaml", wanted)
    assert {each.place: set(each.anomalies) for each in read_baseline(after, "b.yaml")} == {
        each.place: set(each.anomalies) for each in (*baseline, wanted)
    }
    assert after.count(mark) == len(baseline)
