"""`faults:` — which faults strike, and when."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.database.api import Capabilities
from txfuzz.workload.model import MOMENTS, DatabaseSpec, FaultSpec
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.plugins import built_from, plain_options
from txfuzz.workload.yaml.scheduling import read_duration

TIMING = ("at", "every", "times", "when")
SHORTEST_INTERVAL = 1e-3  # seconds between two injections
_EXAMPLE = "{name: NAME, every: 2s}"


def read_faults(
    node: Node | None,
    database: DatabaseSpec,
    capabilities: Capabilities | None,
    vocabulary: Vocabulary | None,
) -> tuple[FaultSpec, ...]:
    """A list of mappings with `name`, the time (`at` or `every`, and `when`) and options of the fault.

    capabilities: of the adapter that the workload names; None where it names none.
    """
    if node is None:
        return ()
    return tuple(_fault(item, database, capabilities, vocabulary) for item in node.items("a list of faults"))


def _fault(
    node: Node, database: DatabaseSpec, capabilities: Capabilities | None, vocabulary: Vocabulary | None
) -> FaultSpec:
    fields = node.mapping(f"a fault as a mapping like {_EXAMPLE}")
    if "name" not in fields:
        raise node.place.error("found a fault without the field 'name'")
    name = fields["name"].text("the name of a fault")
    options = {each: value for each, value in fields.items() if each not in ("name", *TIMING)}
    if vocabulary is not None:
        with fields["name"].place.added_to_errors():
            its_class = vocabulary.find("fault", name)
        if capabilities is not None and its_class.needs not in capabilities.faults:
            raise fields["name"].place.error(
                f"found the fault {name!r}", f"one that adapter {database.adapter!r} can inject"
            )
        built_from(its_class, options, f"fault {name!r}", node)
    at, every, times = _timing(node, fields)
    when = fields["when"].one_of("a moment of directed schedules", MOMENTS) if "when" in fields else None
    return FaultSpec(name, plain_options(options), at, every, times, when)


def _timing(node: Node, fields: Mapping[str, Node]) -> tuple[tuple[float, ...], float | None, int | None]:
    if ("at" in fields) == ("every" in fields):
        found = "both `at` and `every`" if "at" in fields else "neither `at` nor `every`"
        raise node.place.error(f"found {found} in a fault", f"exactly one of them, as in {_EXAMPLE}")
    if "every" in fields:
        times = fields["times"].whole("the maximum number of injections", 1) if "times" in fields else None
        every = read_duration(fields["every"])
        if every < SHORTEST_INTERVAL:
            raise fields["every"].unexpected("a time of at least 1ms, as in 50ms or 2s")
        return (), every, times
    if "times" in fields:
        raise fields["times"].name_place.error(
            "found `times` together with `at`", "`times` only with `every`"
        )
    at = fields["at"]
    moments = at.value if isinstance(at.value, tuple) else (at,)
    if not moments:
        raise at.unexpected("a time or a list of times, as in [1s, 3s]")
    return tuple(sorted(read_duration(moment) for moment in moments)), None, None
