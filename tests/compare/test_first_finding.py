"""The place of the first finding in a history."""

from __future__ import annotations

import pytest

from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.compare.first_finding import FirstFinding, first_finding

LINES = (
    "{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 2 1]]}",
    "{:type :invoke, :process 1, :f :txn, :value [[:r 2 nil] [:append 1 1]]}",
    "{:type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 2 1]]}",
    "{:type :ok, :process 1, :f :txn, :value [[:r 2 []] [:append 1 1]]}",
    "{:type :invoke, :process 2, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}",
    "{:type :ok, :process 2, :f :txn, :value [[:r 1 [1]] [:r 2 [1]]]}",
)
ELLE = (ElleAnalyzer(),)


def history(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def blind(number: int) -> tuple[str, str]:
    value = f"[[:append {1000 + number} 1]]"
    return (
        f"{{:type :invoke, :process 5, :f :txn, :value {value}}}",
        f"{{:type :ok, :process 5, :f :txn, :value {value}}}",
    )


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 500), (40, 3), (333, 100)])
def test_it_counts_what_was_attempted_until_an_operation_shows_it(before: int, after: int) -> None:
    early = [line for number in range(before) for line in blind(number)]
    late = [line for number in range(after) for line in blind(before + number)]
    found = first_finding(history(*early, *LINES, *late), "serializable", ELLE)
    assert found == FirstFinding(before + 2, ("G2-item",))


def test_nothing_is_found_where_nothing_is() -> None:
    assert first_finding(history(*LINES[:3], *LINES[4:5]), "serializable", ELLE) is None
    assert first_finding(history(*LINES), "snapshot-isolation", ELLE) is None
    assert first_finding(b"", "serializable", ELLE) is None


def test_an_unfinished_line_does_not_count() -> None:
    text = history(*LINES[:4])
    assert first_finding(text, "serializable", ELLE) is not None
    assert first_finding(text[:-1], "serializable", ELLE) is None


def test_the_reads_at_the_end_of_a_run_are_no_transactions_of_the_workload() -> None:
    last = '{:type :invoke, :process 9, :f :txn, :txn "final-read", :value [[:r 1 nil]]}'
    read = "{:type :ok, :process 9, :f :txn, :value [[:r 1 []]]}"
    written = (
        "{:type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}",
        "{:type :ok, :process 0, :f :txn, :value [[:append 1 1]]}",
        "{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil]]}",
        "{:type :ok, :process 0, :f :txn, :value [[:r 1 [1]]]}",
    )
    found = first_finding(history(*written, last, read), "strict-serializable", ELLE)
    assert found is not None
    assert found.attempted == 2
