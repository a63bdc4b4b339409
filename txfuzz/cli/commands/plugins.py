"""`txfuzz plugins`: what is installed, and the options of each component. `txfuzz new-plugin`: a working
distribution to start your own plugin from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options
from txfuzz.cli.listing import table, template_text
from txfuzz.errors import ExitCode, PluginError, UsageError, did_you_mean
from txfuzz.plugin.scaffold.files import KINDS

if TYPE_CHECKING:
    from txfuzz.plugin.registry import Registry, RegistryEntry


@click.group(invoke_without_command=True)
@options.plugin_files
@options.strict_plugins
@click.pass_context
def plugins(ctx: click.Context, plugin_files: tuple[Path, ...], strict_plugins: bool) -> int:
    """List the installed plugins and what they provide.

    Exit code 2 if a plugin cannot be used; the reason is printed.
    """
    from txfuzz.plugin.loader import load_plugins

    ctx.obj = registry = load_plugins(strict=strict_plugins, files=plugin_files)
    if ctx.invoked_subcommand is None:
        click.echo(_listing(registry))
        for sentence in (*map(str, registry.problems), *registry.clashes()):
            click.echo(f"txfuzz: {sentence}", err=True)
    return ExitCode.USAGE if registry.problems or registry.clashes() else ExitCode.NOTHING_FOUND


@plugins.command()
@click.argument("name")
@options.plugin_files
@click.pass_obj
def show(registry: Registry, name: str, plugin_files: tuple[Path, ...]) -> None:
    """Show the options of a component.

    NAME is that of an adapter, analyzer, heuristic, mutator, fault or template.
    """
    if plugin_files:
        from txfuzz.plugin.loader import load_plugins

        registry = load_plugins(files=plugin_files)
    entries = [entry for found in registry.entries.values() for entry in found if entry.name == name]
    if not entries:
        raise PluginError(
            f"nothing named {name!r} is installed: {did_you_mean(name, {key[1] for key in registry.entries})}"
        )
    click.echo("\n\n".join(_details(entry) for entry in entries))


def _listing(registry: Registry) -> str:
    lines = []
    for plugin in registry.plugins:
        whence = plugin if plugin.is_file else f"{plugin.distribution} {plugin.version}"
        lines.append(f"{plugin.name} ({whence})")
        rows = [
            (entry.kind, entry.name, entry.about)
            for found in registry.entries.values()
            for entry in found
            if entry.plugin == plugin
        ]
        lines.append(table(rows, "  ") if rows else "  provides nothing")
    return "\n".join(lines) or "no plugin is installed"


def _details(entry: RegistryEntry) -> str:
    from txfuzz.common.options import options_of

    head = f"{entry.kind} {entry.name}: {entry.about}\nfrom plugin {entry.plugin}"
    if entry.kind == "template":
        return f"{head}\n\n{template_text(entry.value)}"
    rows = [("option", "type", "default", "meaning")]
    rows += [
        (option.name, option.type, "required" if option.required else option.default, option.help)
        for option in options_of(entry.value)
    ]
    body = table(rows, "  ") if len(rows) > 1 else "  no options"
    if entry.kind == "mutator":
        head += f"\nkind of change: {entry.value.kind}"
    if entry.kind == "adapter":
        body += f"\n\n{_levels(entry)}"
    return f"{head}\n\n{body}"


def _levels(entry: RegistryEntry) -> str:
    """Isolation levels, strongest last, and what each promises."""
    try:
        capabilities = entry.value().capabilities()
    except Exception as error:
        return f"  capabilities unknown without options: {error}"
    rows = [("isolation level", "promises")]
    rows += [
        (level + (" (default)" if level == capabilities.default_isolation else ""), model)
        for level, model in capabilities.isolation.items()
    ]
    return table(rows, "  ")


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What the plugin provides.")
@click.option(
    "--output-dir", "output", type=options.FILE, metavar="DIR",
    help="Directory to create. [default: txfuzz-NAME]",
)  # fmt: skip
def new_plugin(name: str, kind: str, output: Path | None) -> None:
    """Create the plugin NAME: a distribution that installs, works, and passes its own tests.

    NAME is the name to use in workloads: lower-case words with hyphens. Nothing is installed.
    """
    import shlex

    from txfuzz.common.version import __version__
    from txfuzz.plugin.scaffold.files import files_of, write_plugin
    from txfuzz.plugin.scaffold.names import names_of

    names = names_of(name)
    _check_free(kind, name, names.distribution)
    directory = output or Path(names.distribution)
    files = files_of(names, kind, __version__)
    write_plugin(files, directory)
    for path in files:
        click.echo(directory / path)
    show = "forms" if kind == "form" else "plugins show"
    click.echo(
        f"\nThis {kind} {KINDS[kind]}. Next:\n"
        f"  python -m pip install --editable {shlex.quote(f'{directory}[test]')}\n"
        f"  python -m pytest {shlex.quote(str(directory))}\n"
        f"  txfuzz {show} {name}"
    )


def _check_free(kind: str, name: str, distribution: str) -> None:
    """UsageError if another installed plugin provides this kind and name."""
    from txfuzz.plugin.loader import load_plugins

    of_adapters = (entry for entry in load_plugins().all("form") if entry.value.name == name)
    claimed = of_adapters if kind == "form" else load_plugins().entries.get((kind, name), ())
    for entry in claimed:
        if entry.plugin.distribution != distribution:
            raise UsageError(
                f"{kind} {name!r} is already provided by plugin {entry.plugin}; choose another name"
            )
