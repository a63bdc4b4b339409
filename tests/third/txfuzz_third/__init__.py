"""A third-party plugin, which uses only the public API."""

from __future__ import annotations

import click

from txfuzz import Template, hookimpl


@hookimpl
def txfuzz_register_adapters():
    from txfuzz_third.dictionary import DictionaryAdapter

    return [DictionaryAdapter]


@hookimpl
def txfuzz_register_templates():
    return [
        Template(
            name="third-pair",
            about="reads one key of two and appends to the other",
            steps=(
                {"f": "r", "key": {"choice": {"from": {"param": "keys"}}, "as": "a"}},
                {"f": "append", "key": {"choice": {"from": {"param": "keys"}}, "distinct_from": ["a"]}},
            ),
            parameters={"keys": None},
        )
    ]


@hookimpl
def txfuzz_register_analyzers():
    from txfuzz_third.judging import LongestList

    return [LongestList]


@hookimpl
def txfuzz_register_heuristics():
    from txfuzz_third.judging import MoreClients

    return [MoreClients]


@hookimpl
def txfuzz_register_commands(cli):
    @cli.command("third-hello")
    def hello():
        """Say hello."""
        click.echo("hello from the third plugin")
