"""Transaction templates with parameters, as provided by template plugins."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.common.sanitize import one_line
from txfuzz.errors import PluginError, UsageError, did_you_mean

_SHOWN = 60  # characters of a value that a message quotes


@dataclass(frozen=True)
class StepOrigin:
    """Where a filled step comes from.

    number: of the step of the template, from 1. step: before it is filled, of a repetition the one within.
    items: name of the item → the parameter that it is of, in a repetition.
    """

    number: int
    step: Mapping[str, Any]
    items: Mapping[str, str] = field(default_factory=dict)

    def parameter(self, data: Any) -> str | None:
        """The parameter whose value, or an item of it, replaces this part of the step, if any."""
        name = _parameter(data)
        return None if name is None else self.items.get(name, name)


@dataclass(frozen=True)
class Template:
    """A transaction that workloads use by name: `{template: NAME, with: {…}}`.

    steps: as in a workload file, except that `{param: NAME}` may replace any value, and that
        `{each: NAME, of: LIST, steps: […]}` repeats steps for every item of a list, which they use
        as `{param: NAME}`.
    parameters: name → default; None for a required one.
    dialect: the SQL dialect of its raw steps, if it needs one: adapters whose capabilities do not
        include it are refused.
    """

    name: str
    about: str
    steps: tuple[Mapping[str, Any], ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dialect: str | None = None

    def filled(self, given: Mapping[str, Any]) -> list[Any]:
        """The steps with their parameters filled in, as plain YAML data.

        Raises UsageError for an unknown or missing parameter, and if steps are to be repeated for
        something that is not a list.
        """
        for name in given:
            if name not in self.parameters:
                raise UsageError(
                    f"template {self.name!r} has no parameter {name!r}: {did_you_mean(name, self.parameters)}"
                )
        values = {**self.parameters, **given}
        for name, value in values.items():
            if value is None:
                raise UsageError(f"template {self.name!r} needs the parameter {name!r}")
        return [filled for step in self.steps for filled in self._repeated(step, values)]

    def _repeated(self, step: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any]:
        """The step, or its repetitions for each item of a list."""
        if "each" not in step:
            return [self._fill(step, values)]
        items = self._fill(step["of"], values)
        if not isinstance(items, list | tuple):
            listed = _parameter(step["of"])
            what = "a list" if listed is None else f"the parameter {listed!r}, expected a list"
            raise UsageError(f"template {self.name!r} repeats steps for each item of {what}, found {items!r}")
        return [
            self._fill(inner, {**values, step["each"]: item}) for item in items for inner in step["steps"]
        ]

    def _fill(self, data: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(data, Mapping):
            name = _parameter(data)
            if name is not None:
                if name not in values:
                    raise UsageError(f"template {self.name!r} uses the undeclared parameter {name!r}")
                return copy.deepcopy(values[name])
            return {key: self._fill(value, values) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._fill(item, values) for item in data]
        return data


def step_origins(template: Template, given: Mapping[str, Any]) -> list[StepOrigin]:
    """Of each step that `template.filled(given)` returns, in the same order."""
    values = {**template.parameters, **given}
    found: list[StepOrigin] = []
    for number, step in enumerate(template.steps, 1):
        if "each" not in step:
            found.append(StepOrigin(number, step))
            continue
        listed = _parameter(step["of"])
        items = {} if listed is None else {step["each"]: listed}
        inner = [StepOrigin(number, each, items) for each in step["steps"]]
        of = step["of"] if listed is None else values.get(listed)
        found += inner * len(of) if isinstance(of, list | tuple) else []
    return found


def _parameter(data: Any) -> str | None:
    """The name in `{param: NAME}`; None for anything else."""
    return data["param"] if isinstance(data, Mapping) and set(data) == {"param"} else None


def check_template(template: Template) -> None:
    """PluginError if a field is not of its type, or a step cannot be filled in whatever the parameters are.

    Whether the filled steps mean something is known when a workload that uses them is read.
    """
    if not isinstance(template.name, str) or not template.name:
        raise PluginError(f"a template has the name {_brief(template.name)}, expected text")
    mistake = next(_mistakes(template), None)
    if mistake is not None:
        raise PluginError(f"template {template.name!r}: {mistake}")


def _mistakes(template: Template) -> Iterator[str]:
    if not isinstance(template.about, str):
        yield f"`about` is {_brief(template.about)}, expected a sentence (text)"
    if not isinstance(template.parameters, Mapping):
        yield f"`parameters` is {_brief(template.parameters)}, expected a mapping of names to defaults"
    else:
        for name in template.parameters:
            if not isinstance(name, str):
                yield f"the name of a parameter is {_brief(name)}, expected text"
    if template.dialect is not None and not isinstance(template.dialect, str):
        yield f"`dialect` is {_brief(template.dialect)}, expected the name of an SQL dialect (text) or None"
    if not isinstance(template.steps, list | tuple):
        yield f"`steps` is {_brief(template.steps)}, expected a tuple of mappings"
    else:
        for number, step in enumerate(template.steps, 1):
            yield from _mistakes_of_step(step, f"step {number}")


def _mistakes_of_step(step: Any, called: str) -> Iterator[str]:
    if not isinstance(step, Mapping):
        yield f"{called} is {_brief(step)}, expected a mapping with f and key, with sql, or with each"
    elif "each" not in step:
        yield from _odd_references(step, called)
    else:
        if not isinstance(step["each"], str):
            yield f"{called} has {_brief(step['each'])} as `each`, expected the name of an item (text)"
        if "of" not in step:
            yield f"{called} has `each` without `of`, expected the list of its items"
        else:
            yield from _odd_references(step["of"], called)
        if "steps" not in step:
            yield f"{called} has `each` without `steps`, expected the steps to repeat"
        elif not isinstance(step["steps"], list | tuple):
            yield f"{called} has {_brief(step['steps'])} as `steps`, expected a list of mappings"
        else:
            for number, inner in enumerate(step["steps"], 1):
                yield from _mistakes_of_repeated(inner, f"step {number} within {called}")


def _mistakes_of_repeated(step: Any, called: str) -> Iterator[str]:
    if not isinstance(step, Mapping):
        yield f"{called} is {_brief(step)}, expected a mapping with f and key, or with sql"
    elif "each" in step:
        yield f"{called} has `each`, expected no repetition within another one"
    else:
        yield from _odd_references(step, called)


def _odd_references(data: Any, called: str) -> Iterator[str]:
    """Values in place of the names of parameters."""
    if isinstance(data, Mapping):
        if set(data) == {"param"} and not isinstance(data["param"], str):
            yield f"{called} has {_brief(data['param'])} as `param`, expected the name of a parameter (text)"
        for value in data.values():
            yield from _odd_references(value, called)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from _odd_references(item, called)


def _brief(value: Any) -> str:
    text = one_line(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
