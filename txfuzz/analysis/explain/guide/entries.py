"""What is known of each anomaly and model, for readers: the facts behind `txfuzz explain`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from txfuzz.analysis.checker.anomaly_types import anomaly_type, known_types
from txfuzz.analysis.checker.consistency import (
    ALIASES,
    FRIENDLY,
    WEAKER,
    canonical,
    friendly,
    is_model,
    prohibited,
)
from txfuzz.errors import UsageError

_SUFFIXES = ("process", "realtime", "cycle-exists")


@dataclass(frozen=True)
class AnomalyPage:
    """type: as the checker names it. name: what people call it. also: other names. meaning: in one sentence.
    plain: in a few, for who has never heard of it. picture: lines, sessions in columns. avoid: what helps.
    sources: where it is defined."""

    type: str
    name: str
    also: tuple[str, ...]
    meaning: str
    plain: str
    picture: tuple[str, ...]
    avoid: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ModelPage:
    """name: as in sentences. also: other names. about: in a sentence or two, empty if there is none. weaker,
    stronger: the nearest. forbids, allows: types of anomalies."""

    name: str
    also: tuple[str, ...]
    about: str
    weaker: tuple[str, ...]
    stronger: tuple[str, ...]
    forbids: tuple[str, ...]
    allows: tuple[str, ...]


@dataclass(frozen=True)
class AllowingLevel:
    """A level with the model that it provides; when: only then, empty for always."""

    level: str
    model: str
    when: str = ""
    note: str = ""


@dataclass(frozen=True)
class DatabaseLevels:
    """levels: isolation level → the model that it provides, from weak to strong. notes: level → what to know
    of it. otherwise: level → `model`, a weaker one that it provides instead, and `when`. adapter: the name of
    the adapter for it, empty if there is none. source: where that is written."""

    name: str
    levels: Mapping[str, str]
    notes: Mapping[str, str] = field(default_factory=dict)
    otherwise: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    adapter: str = ""
    source: str = ""

    def allowing(self, type: str) -> tuple[AllowingLevel, ...]:
        """The levels that do not rule out this type of anomaly."""
        found = []
        for level, model in self.levels.items():
            other = self.otherwise.get(level)
            if type not in prohibited(model):
                found.append(AllowingLevel(level, friendly(model), note=self.notes.get(level, "")))
            elif other is not None and type not in prohibited(other["model"]):
                found.append(AllowingLevel(level, friendly(other["model"]), other["when"]))
        return tuple(found)

    def providing(self, model: str) -> tuple[str, ...]:
        """The levels that provide exactly this model."""
        wanted = canonical(model)
        return tuple(level for level, provided in self.levels.items() if canonical(provided) == wanted)


@dataclass(frozen=True)
class TermPage:
    """A word that stands in tables and sentences and names no anomaly of the checker: a heading of the matrix
    of Hermitage, a kind of dependency, a code. plain, sources: as for anomalies. see: the page that tells
    more, empty if none does."""

    term: str
    name: str
    also: tuple[str, ...]
    plain: str
    see: str
    sources: tuple[str, ...]


Page: TypeAlias = AnomalyPage | ModelPage | TermPage


def page_of(name: str) -> Page:
    """The page of an anomaly, a model or a term, by its own name, its plain name or another one; case,
    hyphens and underscores do not matter. UsageError with near matches for an unknown name."""
    known = _names()
    found = known.get(_folded(name))
    if found is not None:
        return anomaly_page(found)
    if name.lower().endswith("-cycle-exists") and is_model(name[: -len("-cycle-exists")]):
        return anomaly_page(f"{canonical(name[: -len('-cycle-exists')])}-cycle-exists")
    if is_model(name):
        return model_page(name)
    term = _terms().get(_folded(name))
    if term is not None:
        return term
    spelled = _spelled()
    near = difflib.get_close_matches(_folded(name), spelled, n=3, cutoff=0.6)
    meant = (
        f"did you mean {' or '.join(repr(spelled[each]) for each in near)}?"
        if near
        else "`txfuzz explain` lists the names"
    )
    raise UsageError(f"no anomaly and no consistency model is called {name!r}: {meant}")


def anomaly_page(type: str) -> AnomalyPage:
    """KeyError for a type that the checker does not know."""
    entry = anomaly_type(type)
    guide = _guide("anomalies")
    suffix = next((each for each in _SUFFIXES if type.endswith(f"-{each}")), None)
    if suffix is None:
        own, plain = guide[type], guide[type]["plain"]
    else:
        own = guide[suffix]
        base = {} if suffix == "cycle-exists" else guide[type.removesuffix(f"-{suffix}")]
        plain = " ".join(filter(None, [base.get("plain", ""), own["plain"]]))
    return AnomalyPage(
        type,
        entry.name,
        (*_shapes(type), *own.get("also", ())) if suffix is None else _shapes(type),
        entry.meaning,
        plain,
        tuple(own["picture"].strip("\n").split("\n")),
        tuple(own["avoid"]),
        (entry.source, *own.get("sources", ())),
    )


def _shapes(type: str) -> tuple[str, ...]:
    """Names of shapes that cycles of this type may have (see headlines.py)."""
    named = {"G-single-item-realtime": ("stale read",), "G-single-item-process": ("own write not seen",)}
    return named.get(type, ())


def model_page(name: str) -> ModelPage:
    """UsageError for an unknown name."""
    model = canonical(name)
    types = known_types()
    forbidden = prohibited(model)
    return ModelPage(
        friendly(model),
        tuple(each for each in (model, *_spellings(model)) if each != friendly(model)),
        _guide("models").get(model, ""),
        tuple(friendly(each) for each in WEAKER[model]),
        tuple(friendly(each) for each in WEAKER if model in WEAKER[each]),
        tuple(each for each in types if each in forbidden),
        tuple(each for each in types if each not in forbidden),
    )


def _spellings(model: str) -> tuple[str, ...]:
    return tuple(name for name, meant in ALIASES.items() if meant == model)


def databases(promises: Mapping[str, Mapping[str, str]]) -> tuple[DatabaseLevels, ...]:
    """Those that are known, and others by what their adapters promise: adapter → level → model."""
    known = [DatabaseLevels(**each) for each in _guide("databases")["database"]]
    named = {each.adapter for each in known}
    return (*known, *(DatabaseLevels(name, levels) for name, levels in promises.items() if name not in named))


@cache
def _names() -> Mapping[str, str]:
    """Every accepted name of an anomaly, folded, and its type; names of models go before other names."""
    found: dict[str, str] = {}
    for type in known_types():
        page = anomaly_page(type)
        for name in (type, page.name, *page.also):
            found.setdefault(_folded(name), type)
    return found


@cache
def _spelled() -> Mapping[str, str]:
    """Every name that may be meant, folded, and as it is printed."""
    found: dict[str, str] = {}
    for type in known_types():
        page = anomaly_page(type)
        for name in (type, page.name, *page.also):
            found.setdefault(_folded(name), name)
    for name in (*FRIENDLY.values(), *WEAKER, *known_terms()):
        found.setdefault(_folded(name), name)
    return found


@cache
def _terms() -> Mapping[str, TermPage]:
    """Every accepted name of a term, folded, and its page."""
    found: dict[str, TermPage] = {}
    for term, entry in _guide("terms").items():
        page = TermPage(
            term, entry["name"], tuple(entry["also"]), entry["plain"], entry["see"], tuple(entry["sources"])
        )
        for name in (term, page.name, *page.also):
            found.setdefault(_folded(name), page)
    return found


def known_terms() -> tuple[str, ...]:
    """The words of tables and sentences that are explained beside anomalies and models."""
    return tuple(_guide("terms"))


def known_models() -> tuple[str, ...]:
    """The names of all consistency models, as they are in sentences."""
    return tuple(sorted(friendly(each) for each in WEAKER))


@cache
def _guide(name: str) -> Mapping[str, Any]:
    place = resources.files("txfuzz.analysis.explain.guide").joinpath(f"{name}.toml")
    return tomllib.loads(place.read_text(encoding="utf-8"))


def _folded(name: str) -> str:
    return "-".join(name.strip().lower().replace("_", " ").replace("-", " ").split())
