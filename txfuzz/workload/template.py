"""Transaction templates with parameters, as provided by template plugins."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.errors import UsageError, did_you_mean


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
            raise UsageError(f"template {self.name!r} repeats steps for each item of a list, found {items!r}")
        return [
            self._fill(inner, {**values, step["each"]: item}) for item in items for inner in step["steps"]
        ]

    def _fill(self, data: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(data, Mapping):
            if set(data) == {"param"}:
                if data["param"] not in values:
                    raise UsageError(
                        f"template {self.name!r} uses the undeclared parameter {data['param']!r}"
                    )
                return copy.deepcopy(values[data["param"]])
            return {key: self._fill(value, values) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._fill(item, values) for item in data]
        return data
