"""Workloads of all sorts, for properties that hold of each."""

from __future__ import annotations

from hypothesis import strategies as st

from txfuzz import Workload
from txfuzz.feedback.key_choices import can_choose
from txfuzz.transactions.model import Choice, NewValue, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight

KEYS = 40

a_key = st.integers(1, KEYS)
key_sets = st.one_of(
    st.tuples(a_key, st.integers(1, KEYS)).map(lambda each: range(each[0], min(sum(each), KEYS + 1))),
    st.lists(a_key, min_size=1, max_size=6, unique=True).map(tuple),
)


@st.composite
def transactions(draw: st.DrawFn, name: str) -> Transaction:
    steps: list[Step] = []
    names: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        f = draw(st.sampled_from(["r", "append"]))
        if names and draw(st.booleans()):
            steps.append(Step(f, Ref(draw(st.sampled_from(names)))))
            continue
        others = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        choice = Choice(draw(key_sets), f"k{number}", tuple(others))
        if draw(st.booleans()):
            steps.append(Step(f, choice))
        else:
            args = (("k", choice), *([("v", NewValue())] if f == "append" else []))
            sql = "SELECT :k" if f == "r" else "UPDATE {table} SET val = val || :v WHERE key = :k"
            steps.append(
                Step(f, choice, sql=sql, args=args, key_arg="k", value_arg="v" if f == "append" else None)
            )
        names.append(f"k{number}")
    return Transaction(name, tuple(steps))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    each = [draw(transactions(f"t{number}")) for number in range(draw(st.integers(1, 3)))]
    each = [one for one in each if can_choose(one)] or [Transaction("t", (Step("r", Choice(range(1, 9))),))]
    weights = [draw(st.sampled_from([0.0, 1.0, 3.0])) for _ in each]
    weights[0] = 1.0
    mix = tuple(Weight(one.name, weight) for one, weight in zip(each, weights, strict=True))
    return Workload("any", tuple(each), mix, scheduling=Scheduling(draw(st.integers(1, 8))))
