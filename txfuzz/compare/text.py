"""A comparison as Markdown."""

from __future__ import annotations

from txfuzz.common.sanitize import markdown
from txfuzz.common.sentences import counted
from txfuzz.compare.comparison import ComparedStrategy, Comparison

_SMALLEST = 0.0001  # p below is shown as such


def comparison_text(comparison: Comparison) -> str:
    """One row for each target and strategy, and remarks below."""
    rows = [
        "| target | strategy | median | found | p | Â12 |",
        "|---|---|---|---|---|---|",
    ]
    remarks = []
    for target in comparison.targets:
        for each in target.strategies:
            rows.append(f"| {target.name} | {each.name} | {_cells(each, comparison.most)} |")
            if each.settings > 1 and each.efforts:
                remarks.append(
                    f"On {target.name} the best of the {each.settings} settings of {each.name} is "
                    f"{each.setting}, chosen afterwards by these seeds."
                )
    legend = (
        "Median: attempted transactions until the first finding; a run is given up after "
        f"{counted(comparison.most, 'transaction')}. p: two-sided Mann–Whitney against {comparison.against}, "
        f"exact. Â12: how probable it is that a run is earlier than one of {comparison.against}."
    )
    if comparison.interrupted:
        remarks.insert(0, "Some runs are missing: the comparison was interrupted.")
    remarks += (f"{markdown(each.told)}." for each in comparison.failures)
    return "\n".join([*rows, "", legend, *(f"\n{remark}" for remark in remarks)]) + "\n"


def _cells(each: ComparedStrategy, most: int) -> str:
    middle = "–" if not each.efforts else f"> {most:,}" if each.median is None else f"{each.median:,.0f}"
    p = "" if each.p is None else f"< {_SMALLEST}" if each.p < _SMALLEST else f"{each.p:.2g}"
    a12 = "" if each.a12 is None else f"{each.a12:.2f}"
    return f"{middle} | {each.found} of {len(each.efforts)} | {p} | {a12}"
