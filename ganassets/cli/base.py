"""What all commands share: loading on demand, errors as one sentence, --debug."""

from __future__ import annotations

import contextlib
import importlib
import os
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
STOPPED = 130  # what shells give a program that Ctrl-C ended


class Failure(click.ClickException):
    """An error to show, with its exit code and, under --debug, Python's account of it."""

    def __init__(self, text: str, exit_code: int, trace: str = "") -> None:
        super().__init__(text)
        self.exit_code = exit_code  # pyright: ignore[reportAttributeAccessIssue]  # click reads it of the instance
        self.trace = trace

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to standard error."""
        if self.trace:
            say_lines(self.trace, err=True)
        say(self.message if self.exit_code == STOPPED else f"Error: {self.message}", err=True)


class LazyGroup(click.Group):
    """A group whose commands lie in modules of a package, this one if none is named: each `command` in a module named
    like it.
    """

    def __init__(
        self, *args: Any, modules: Sequence[str] = (), package: str | None = __package__, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.modules = modules
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of their use."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        return importlib.import_module(f".{cmd_name}", self.package).command if cmd_name in self.modules else None

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program."""
        replace_unknown_letters()
        return super().main(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; names of files may stand in it by the shell's wildcards."""
        with printable_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whatever it raises becomes one sentence and an exit code, and libraries' warnings stay away
        from users.
        """
        try:
            with printable_errors(), hidden_warnings(ctx):
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt as stop:
            raise Failure("Stopped.", STOPPED, _trace(ctx)) from stop
        except GanassetsError as error:
            raise Failure(str(error), error.exit_code, _trace(ctx)) from error
        except Exception as error:
            if isinstance(error, OSError) and error.filename:
                text = f"{str(error.filename)[:200]} can't be used ({str(error.strerror).lower()})"
                raise Failure(f"{text}.", InputError.exit_code, _trace(ctx)) from error
            text = f"something unexpected happened ({one_line(error)})"
            advice = "" if ctx.meta.get(DEBUG) else "; run again with --debug to see where"
            raise Failure(f"{text}{advice}.", 1, _trace(ctx)) from error


class OpenGroup(LazyGroup):
    """Such a group with the commands behind its own that installed distributions bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of its own commands in the order of their use, then the others by name."""
        own = super().list_commands(ctx)
        return own + [name for name in command_names() if name not in own]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; for one that can't be, another that says why."""
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in command_names():
            return own
        try:
            return load_command(cmd_name)
        except InputError as error:
            return _stand_in(cmd_name, error)


def _stand_in(name: str, error: InputError) -> click.Command:
    """A command that fails with the error, whatever it is asked."""

    def fail() -> None:
        raise error

    lenient = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    return click.Command(name, lenient, fail, short_help=str(error))


@contextlib.contextmanager
def printable_errors() -> Iterator[None]:
    """Make what click says of a command line one that a terminal only shows."""
    try:
        yield
    except click.ClickException as error:
        error.message = printable(error.message)  # pyright: ignore[reportAttributeAccessIssue]  # click reads it of here
        raise


@contextlib.contextmanager
def hidden_warnings(ctx: click.Context) -> Iterator[None]:
    """Show Python's warnings, which name lines of source files, under --debug alone."""
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
    if value:
        ctx.meta[DEBUG] = True


# Taken both before and after the command's name.
debug_option = click.option(
    DEBUG_OPTION,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_set_debug,
    help="Show Python's traceback when something fails.",
)


class GeneratorCommand(click.Command):
    """A command whose help and options depend on the generator that is named on its command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for a generator's name before the options are made."""
        self.learn(ctx, self.named(args))
        return super().parse_args(ctx, args)

    def named(self, args: Sequence[str]) -> str | None:
        """Name of the generator that the command line is about, where it tells."""
        names = generator_names()
        return next((arg for arg in self.free(args) if arg in names), None)

    def free(self, args: Sequence[str]) -> list[str]:
        """Arguments that are no values of the command's own options: `-o faces` names a folder."""
        options = [param for param in self.params if isinstance(param, click.Option) and not param.is_flag]
        words = {word for option in options for word in option.opts}
        return [arg for before, arg in zip(["", *args], args, strict=False) if before not in words]

    def learn(self, ctx: click.Context, name: str | None) -> None:
        """Keep in ctx.meta what get_params and format_epilog need of the generator."""


def complete_generators(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Generators for the shell's completion; files as well, because a model file may stand there."""
    names = [CompletionItem(name) for name in generator_names() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def parse_pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """{"age": "30"} of ("age=30",); InputError when there is no "=" or a name comes twice."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = map(str.strip, text.partition("="))
        if not equals or not name or not value:
            raise InputError(f"{option} takes NAME=VALUE, not {text!r}.")
        if name in pairs:
            raise InputError(f"{option} {name} is given twice.")
        pairs[name] = value
    return pairs


def load_training(module: str, function: str) -> Any:
    """A function that needs the packages of the extra "train"; GanassetsError when they aren't installed."""
    # OpenMP's threads spin while they wait by default, which slows a run many times over on a machine in use.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ganassets"):
            raise
        raise GanassetsError(
            f'this needs {error.name}, which is not installed; install it with pip install "ganassets[train]".'
        ) from error
