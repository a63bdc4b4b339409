"""Plugins are found, loaded one by one, and named when they are broken or clash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from project_fixtures import Ran, Site
from txfuzz.errors import PluginError
from txfuzz.plugin.hookspecs import txfuzz_register_adapters
from txfuzz.plugin.loader import add_commands, installed, load_plugins

HEURISTIC = """
    from dataclasses import dataclass
    from typing import ClassVar
    from txfuzz import hookimpl

    @dataclass(frozen=True)
    class Mine:
        name: ClassVar[str] = "{name}"
        about: ClassVar[str] = "mine"
        def propose(self, feedback, workload, random):
            return ()

    @hookimpl
    def txfuzz_register_heuristics():
        return [Mine]
"""


def test_what_ships_is_found() -> None:
    registry = load_plugins(strict=True)
    assert {plugin.distribution for plugin in registry.plugins} >= {
        "txfuzz-core",
        "txfuzz-postgres",
        "txfuzz-heuristics",
        "txfuzz-templates",
    }
    assert {entry.name for entry in registry.all("adapter")} >= {"memory", "postgres"}
    assert [entry.name for entry in registry.all("analyzer")] == [
        "bank-total",
        "counter-bounds",
        "coverage",
        "elle",
        "set-elements",
    ]
    assert [entry.name for entry in registry.all("heuristic")] == [
        "hot-keys",
        "mix",
        "scheduling",
        "schema-init",
    ]


def test_plugins_are_asked_in_the_order_of_their_names(site: Site) -> None:
    site.add("txfuzz-zulu", "zulu", HEURISTIC.format(name="zulu"))
    site.add("txfuzz-alpha", "alpha", HEURISTIC.format(name="alpha"))
    names = [plugin.distribution for plugin, _ in installed()]
    assert names == sorted(names)
    assert {"txfuzz-zulu", "txfuzz-alpha"} <= set(names)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no\\nway')", "importing broken failed: RuntimeError: no way"),
        ("import sys; sys.exit(3)", "importing broken failed: SystemExit: 3"),
        ("def (", "importing broken failed: SyntaxError"),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_nothing():\n    return []",
            "unknown hook 'txfuzz_register_nothing': did you mean 'txfuzz_register_",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_adapters(more):\n    return []",
            "txfuzz_register_adapters",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_adapters():\n    return 1/0",
            "txfuzz_register_adapters failed: ZeroDivisionError",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_adapters():\n    return 5",
            "txfuzz_register_adapters returned 5, expected a list of classes",
        ),
        (
            "from txfuzz import hookimpl\nclass A:\n    pass\n"
            "@hookimpl\ndef txfuzz_register_heuristics():\n    return A",
            "txfuzz_register_heuristics returned the class A, expected a list of classes",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_templates():\n    return {'a': 1}",
            "txfuzz_register_templates returned {'a': 1}, "
            "expected a list of Template values of txfuzz.plugin_api",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_adapters():\n    return ['x']",
            "txfuzz_register_adapters returned 'x', expected a class",
        ),
        (
            "from txfuzz import hookimpl\nclass A:\n    pass\n"
            "@hookimpl\ndef txfuzz_register_adapters():\n    return [A]",
            "adapter class A has no `name`",
        ),
        (
            "from txfuzz import hookimpl\nclass A:\n    name = 'a'\n"
            "@hookimpl\ndef txfuzz_register_heuristics():\n    return [A]",
            "heuristic 'a' has no method propose()",
        ),
        (
            "from txfuzz import hookimpl\nclass A:\n    name = 'a'\n    def propose(self): pass\n"
            "@hookimpl\ndef txfuzz_register_heuristics():\n    return [A]",
            "heuristic 'a' is not a dataclass",
        ),
        (
            "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_templates():\n    return [{}]",
            "txfuzz_register_templates returned {}, expected a Template of txfuzz.plugin_api",
        ),
    ],
)
def test_a_broken_plugin_is_named_and_the_rest_go_on(site: Site, code: str, reason: str) -> None:
    site.add("txfuzz-broken", "broken", code, version="0.7")
    registry = load_plugins()
    assert len(registry.problems) == 1
    said = str(registry.problems[0])
    assert said.startswith("plugin 'broken' of txfuzz-broken 0.7: ")
    assert reason in said
    assert "\n" not in said
    assert registry.find("adapter", "postgres").name == "postgres"
    with pytest.raises(PluginError, match=r"txfuzz-broken 0\.7"):
        load_plugins(strict=True)


def test_two_that_claim_one_name_are_both_named_and_neither_is_used(site: Site) -> None:
    site.add("txfuzz-one", "one", HEURISTIC.format(name="mine"), version="1.1")
    site.add("txfuzz-two", "two", HEURISTIC.format(name="mine"), version="2.2")
    registry = load_plugins()
    assert "mine" not in [entry.name for entry in registry.all("heuristic")]
    (clash,) = registry.clashes()
    for words in ("heuristic 'mine'", "'one' of txfuzz-one 1.1", "'two' of txfuzz-two 2.2"):
        assert words in clash
    with pytest.raises(PluginError, match=r"txfuzz-one 1\.1 and by .*txfuzz-two 2\.2"):
        registry.find("heuristic", "mine")
    with pytest.raises(PluginError, match="mine"):
        load_plugins(strict=True)


def test_what_is_not_installed_gets_a_hint_and_the_broken_plugins() -> None:
    with pytest.raises(PluginError, match="no heuristic 'hot-kyes' is installed: did you mean 'hot-keys'"):
        load_plugins().find("heuristic", "hot-kyes")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--iterations", "1"),
        ("execute", "--config", "example", "--out", "h.edn"),
        ("plugins",),
    ],
)
def test_strict_plugins_stop_at_a_broken_one(
    txfuzz: Callable[..., Ran], site: Site, command: tuple[str, ...]
) -> None:
    site.add("txfuzz-broken", "broken", "1/0", version="0.7")
    ran = txfuzz(*command, "--strict-plugins")
    assert ran.code == 2
    assert "plugin 'broken' of txfuzz-broken 0.7" in ran.err
    assert not Path("runs").exists()


def test_a_plugin_adds_commands(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    code = """
        from txfuzz import hookimpl

        @hookimpl
        def txfuzz_register_commands(cli):
            @cli.command("greet")
            def greet():
                print("hi")
    """
    site.add("txfuzz-greeting", "greeting", code)
    site.add("txfuzz-sad", "sad", code.replace('@cli.command("greet")', "raise ValueError('sad')"))
    group = click.Group()
    (problem,) = add_commands(group)
    assert list(group.commands) == ["greet"]
    assert "txfuzz-sad" in str(problem)


def test_every_hook_says_what_it_wants() -> None:
    assert "Adapter" in (txfuzz_register_adapters.__doc__ or "")
