"""The lattice of models: names, implications, and what each prohibits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elle_verdicts import AGREEMENT
from txfuzz.analysis.checker.consistency import (
    INSTANCE_OF,
    PROSCRIBED,
    WEAKER,
    as_elle_names,
    canonical,
    friendly,
    generalisations,
    implies,
    prohibited,
    ruled_out,
    weaker_or_same,
)
from txfuzz.errors import UsageError

MODELS = st.sampled_from(sorted(WEAKER))
ANOMALIES = st.sampled_from(
    sorted({*INSTANCE_OF, *(name for names in PROSCRIBED.values() for name in names)})
)
ELLE = json.loads((AGREEMENT / "models.json").read_text())
OURS = {"unwritten-read", "fractured-read"}  # beyond Elle's anomalies


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("serializable", "PL-3"),
        ("SERIALIZABLE", "PL-3"),
        (":serializable", "PL-3"),
        ("REPEATABLE READ", "PL-2.99"),
        ("repeatable_read", "PL-2.99"),
        ("Read Committed", "PL-2"),
        ("read uncommitted", "PL-1"),
        ("snapshot isolation", "PL-SI"),
        ("SI", "PL-SI"),
        ("pl-ss", "PL-SS"),
        ("strict-serializable", "PL-SS"),
        ("strong-serializable", "PL-SS"),
        ("PL-2.99", "PL-2.99"),
        ("pl-2+", "PL-2+"),
        ("strong session serializable", "strong-session-serializable"),
        ("linearizable", "linearizable"),
    ],
)
def test_names_that_people_use(name: str, model: str) -> None:
    assert canonical(name) == model


@given(model=MODELS, spell=st.sampled_from([str.upper, str.lower, str.title]), blank=st.sampled_from(" _-"))
def test_every_name_in_any_spelling(model: str, spell, blank: str) -> None:
    assert canonical(spell(friendly(model)).replace("-", blank)) == model


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        UsageError, match="unknown consistency model 'serialisable'; did you mean 'serializable'"
    ):
        canonical("serialisable")


@given(a=MODELS, b=MODELS, c=MODELS)
def test_implication_is_an_order(a: str, b: str, c: str) -> None:
    assert implies(a, a)
    assert not (implies(a, b) and implies(b, a)) or a == b
    assert implies(a, c) or not (implies(a, b) and implies(b, c))


@given(a=MODELS, b=MODELS)
def test_a_stronger_model_prohibits_more(a: str, b: str) -> None:
    if implies(a, b):
        assert prohibited(b) <= prohibited(a)


@given(model=MODELS, anomaly=ANOMALIES)
def test_what_is_an_instance_of_the_prohibited_is_prohibited(model: str, anomaly: str) -> None:
    assert (anomaly in prohibited(model)) == bool(generalisations(anomaly) & prohibited(model))


@given(found=st.sets(ANOMALIES))
def test_ruled_out_models_are_those_that_prohibit_something_found(found: set[str]) -> None:
    not_models, also_not = ruled_out(found)
    assert {canonical(name) for name in (*not_models, *also_not)} == {
        model for model in WEAKER if prohibited(model) & found
    }
    for name in not_models:
        assert not any(implies(name, other) for other in (*not_models, *also_not) if other != name)
    for name in also_not:
        assert any(implies(name, other) for other in not_models)


def test_nothing_contradicts_what_no_anomaly_can_tell() -> None:
    assert prohibited("linearizable") == frozenset()


def test_models_and_their_order_are_elles() -> None:
    for model, weaker in ELLE["weaker"].items():
        assert set(WEAKER[model]) == set(weaker)
    for model, name in ELLE["friendly"].items():
        assert as_elle_names(model) == name
    for name, model in ELLE["canonical"].items():
        assert canonical(name) == model


@pytest.mark.parametrize("model", ELLE["prohibited"])
def test_what_each_model_prohibits_is_elles(model: str) -> None:
    assert prohibited(model) - OURS == set(ELLE["prohibited"][model])


@pytest.mark.parametrize("anomaly", ELLE["rules_out"])
def test_what_each_anomaly_rules_out_is_elles(anomaly: str) -> None:
    said = ELLE["rules_out"][anomaly]
    assert ruled_out([anomaly]) == (tuple(said["not"]), tuple(said["also_not"]))


def test_the_strongest_model_implies_the_rest_of_its_side() -> None:
    assert weaker_or_same("PL-SS") >= {"PL-1", "PL-2", "PL-2.99", "PL-3", "PL-SI", "linearizable", "1SR"}
