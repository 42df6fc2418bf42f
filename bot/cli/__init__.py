"""The terminal: `token-doctor`, or `kubectl token-doctor` when it is called as a plugin.

Each command imports what it needs when it runs, so that --help loads neither kubernetes nor slack.
"""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import commands
from bot.cli.failures import exit_code

_PLUGIN = "kubectl-token_doctor"
_WRONG_USAGE = 2
_COMMANDS = (
    commands.run,
    commands.check,
    commands.digest,
    commands.review,
    commands.decode,
    commands.errors,
    commands.explain,
    commands.requests,
    commands.audit,
    commands.preflight,
    commands.migrate,
    commands.manifest,
    commands.rbac,
)
_EPILOG = "With any command, --debug shows the traceback of an error."


def main(arguments: list[str] | None = None, *, called_as: str | None = None) -> int:
    """Runs one command; returns the exit code. `--debug` may stand anywhere before `--`."""
    words, debug = _without_debug(sys.argv[1:] if arguments is None else arguments)
    name = Path(sys.argv[0] if called_as is None else called_as).stem
    program = "kubectl token-doctor" if name == _PLUGIN else "token-doctor"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    command = typer.main.get_command(app())
    return exit_code(
        lambda: command.main(words, prog_name=program, standalone_mode=False), program=program, debug=debug
    )


def app() -> typer.Typer:
    """The commands, in the order of the help text."""
    program = typer.Typer(add_completion=False, rich_markup_mode=None)
    # Typer's own help option loads pydantic for every command, also for `check --help`: 0.2 s of CPU.
    program.callback(invoke_without_command=True, add_help_option=False, epilog=_EPILOG)(_options)
    for command in _COMMANDS:
        # A token given as an argument gets its own sentence, so these two commands see to their arguments themselves.
        own = {"allow_extra_args": command in (commands.review, commands.decode)}
        # Left to itself, the list of commands cuts these sentences off on a terminal of 80 columns.
        sentence = (command.__doc__ or "").partition("\n")[0]
        program.command(short_help=sentence, epilog=commands.EPILOGS[command.__name__], context_settings=own)(command)
    return program


def _options(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    help_: Annotated[bool, typer.Option("--help", help="Show this message and exit.")] = False,
) -> None:
    """Says why a Kubernetes workload's token is refused, with the proof."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415  # only this option needs it: 30 ms

        typer.echo(f"token-doctor {installed('token-doctor')}")
        raise typer.Exit
    if help_ or ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(0 if help_ else _WRONG_USAGE)


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = arguments[:end]
    return [word for word in options if word != "--debug"] + arguments[end:], "--debug" in options
