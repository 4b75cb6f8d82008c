"""Shared parts of all commands: loading on demand, one-line errors, and --debug."""

from __future__ import annotations

import contextlib
import importlib
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import IO, Any

import click
from click.shell_completion import CompletionItem

from ..api.errors import GanassetsError, InputError, one_line
from ..api.registry import command_names, generator_names, load_command
from ..api.texts import printable
from .output import replace_unknown_letters, say, say_lines

DEBUG = "ganassets.debug"
DEBUG_OPTION = "--debug"
# Exit code of shells for a program that Ctrl-C stopped.
STOPPED = 130


class CommandError(click.ClickException):
    """An error of a command.

    Args:
        text: One line for the user.
        exit_code: Exit code of the program.
        trace: Python's traceback, with --debug.
    """

    def __init__(self, text: str, exit_code: int, trace: str = "") -> None:
        super().__init__(text)
        self.exit_code = exit_code  # pyright: ignore[reportAttributeAccessIssue]  # click reads it from the instance
        self.trace = trace

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to standard error."""
        del file
        if self.trace:
            say_lines(self.trace, err=True)
        say(self.message if self.exit_code == STOPPED else f"Error: {self.message}", err=True)


class LazyGroup(click.Group):
    """A group that imports each command when it is used.

    Args:
        args: See click.Group.
        modules: Names of the commands and of their modules, each of which holds `command`.
        package: Package of the modules; by default this one.
        kwargs: See click.Group.
    """

    def __init__(
        self, *args: Any, modules: Sequence[str] = (), package: str | None = __package__, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.modules = modules
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of their use."""
        del ctx
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        return importlib.import_module(f".{cmd_name}", self.package).command if cmd_name in self.modules else None

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program."""
        replace_unknown_letters()
        return super().main(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; wildcards may put any file name into it, so errors are made printable."""
        with printable_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, without libraries' warnings; any error is reported as one line with an exit code."""
        try:
            with printable_errors(), hidden_warnings(ctx):
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped.", STOPPED, _trace(ctx)) from stop
        except GanassetsError as error:
            raise CommandError(str(error), error.exit_code, _trace(ctx)) from error
        except Exception as error:
            if isinstance(error, OSError) and error.filename:
                text = f"{str(error.filename)[:200]} can't be used ({str(error.strerror).lower()})"
                raise CommandError(f"{text}.", InputError.exit_code, _trace(ctx)) from error
            text = f"something unexpected happened ({one_line(error)})"
            advice = "" if ctx.meta.get(DEBUG) else "; run again with --debug to see where"
            raise CommandError(f"{text}{advice}.", 1, _trace(ctx)) from error


class ExtensibleGroup(LazyGroup):
    """A lazy group with the commands of installed distributions after its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return its own commands in the order of their use, then the others by name."""
        own = super().list_commands(ctx)
        return own + [name for name in command_names() if name not in own]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; when that fails, return a command that reports the error."""
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in command_names():
            return own
        try:
            return load_command(cmd_name)
        except InputError as error:
            return _make_failing_command(cmd_name, error)


def _make_failing_command(name: str, error: InputError) -> click.Command:
    """Return a command that raises the error for any arguments."""

    def fail() -> None:
        raise error

    lenient = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    return click.Command(name, lenient, fail, short_help=str(error))


@contextlib.contextmanager
def printable_errors() -> Iterator[None]:
    """Make click's error messages printable, because they quote the command line."""
    try:
        yield
    except click.ClickException as error:
        # The message of the help error (new in click 8.2) is the program's own help page, of many lines.
        if not isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
            error.message = printable(error.message)  # pyright: ignore[reportAttributeAccessIssue]  # click reads it
        raise


@contextlib.contextmanager
def hidden_warnings(ctx: click.Context) -> Iterator[None]:
    """Hide Python's warnings, which name lines of source files, unless --debug is set."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_debug(*args: Any, **kwargs: Any) -> None:
            if ctx.find_root().meta.get(DEBUG):
                show(*args, **kwargs)

        warnings.showwarning = show_debug
        yield


def _trace(ctx: click.Context) -> str:
    return traceback.format_exc() if ctx.meta.get(DEBUG) else ""


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del param
    if value:
        ctx.meta[DEBUG] = True


# It may stand before or after the command's name.
debug_option = click.option(
    DEBUG_OPTION,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_set_debug,
    help="Show Python's traceback on errors.",
)


class GeneratorCommand(click.Command):
    """A command whose help and options depend on the generator on its command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the generator before the options are built."""
        self.prepare(ctx, self.find_generator(args))
        return super().parse_args(ctx, args)

    def find_generator(self, args: Sequence[str]) -> str | None:
        """Return the name of the generator on the command line; None when there is none."""
        names = generator_names()
        return next((arg for arg in self.positional_arguments(args) if arg in names), None)

    def positional_arguments(self, args: Sequence[str]) -> list[str]:
        """Return the arguments that are not values of the command's own options: `-o faces` names a folder."""
        options = [param for param in self.params if isinstance(param, click.Option) and not param.is_flag]
        words = {word for option in options for word in option.opts}
        return [arg for before, arg in zip(["", *args], args, strict=False) if before not in words]

    def prepare(self, ctx: click.Context, name: str | None) -> None:
        """Store in ctx.meta what get_params and format_epilog need of the generator."""


def complete_generators(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete generators, or else files, because the argument may be a model file."""
    del ctx, param
    names = [CompletionItem(name) for name in generator_names() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def parse_pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Parse ("age=30",) to {"age": "30"}.

    Args:
        option: Name of the option, for error messages.
        texts: Values of the option.

    Raises:
        InputError: A text is not NAME=VALUE, or a name occurs twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = map(str.strip, text.partition("="))
        if not equals or not name or not value:
            raise InputError(f"{option} takes NAME=VALUE, not {text!r}.")
        if name in pairs:
            raise InputError(f"{option} {name} is given twice.")
        pairs[name] = value
    return pairs
