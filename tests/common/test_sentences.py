"""Parts of sentences."""

from __future__ import annotations

from txfuzz.common.sentences import weighted


def test_a_few_weights_are_all_told_and_of_many_the_highest() -> None:
    def words(name: str, weight: float) -> str:
        return f"{name} {weight:g}"

    assert weighted({"a": 1, "b": 3}, words, most=2) == ["a 1", "b 3"]
    assert weighted({"a": 1, "b": 3, "c": 1, "d": 2}, words, most=2) == ["b 3", "d 2", "2 more"]
