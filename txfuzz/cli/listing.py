"""Output of the commands that list what is installed: aligned tables, and templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from txfuzz.workload.template import Template


def aligned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each row, as wide as their columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]


def table(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Rows as aligned columns."""
    return "\n".join(indent + "  ".join(row).rstrip() for row in aligned(rows))


def template_text(template: Template) -> str:
    """How to use it in a workload, and its steps."""
    from txfuzz.workload.yaml.layout import flow

    given = {name: "…" if value is None else value for name, value in template.parameters.items()}
    use = {"template": template.name, **({"with": given} if given else {})}
    dialect = f" (in the SQL of {template.dialect})" if template.dialect else ""
    lines = [f"# {template.about}", f"- {flow(use)}", "", f"# its steps{dialect}:"]
    return "\n".join([*lines, *(f"- {flow(step)}" for step in template.steps)])
