"""Transaction templates with parameters: what a template plugin hands over, as data."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Template:
    """A transaction written once and used by name: `{template: NAME, with: {…}}`.

    steps: as in a workload file, except that `{param: NAME}` may stand wherever a value stands.
    parameters: name → default; None for one that must be given.
    """

    name: str
    about: str
    steps: tuple[Mapping[str, Any], ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def filled(self, given: Mapping[str, Any]) -> list[Any]:
        """The steps with their parameters set, as plain YAML data.

        Raises UsageError for an unknown parameter and for one that is not given.
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
        return [self._fill(step, values) for step in self.steps]

    def _fill(self, data: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(data, Mapping):
            if set(data) == {"param"}:
                if data["param"] not in values:
                    raise UsageError(
                        f"template {self.name!r} uses a parameter {data['param']!r} without naming it"
                    )
                return copy.deepcopy(values[data["param"]])
            return {key: self._fill(value, values) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._fill(item, values) for item in data]
        return data
