"""`ganassets completion`: print the shell's completion script."""

from __future__ import annotations

import click

from .base import debug_option
from .output import say_lines

EXAMPLES = """\b
Examples:
  ganassets completion bash >> ~/.bashrc
  ganassets completion zsh >> ~/.zshrc
  ganassets completion fish > ~/.config/fish/completions/ganassets.fish
"""


@click.command(name="completion", short_help="Print the shell's completion script.", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@debug_option
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes the shell complete commands, options and generators."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise AssertionError(shell)  # click supports these three
    say_lines(completion(ctx.find_root().command, {}, "ganassets", "_GANASSETS_COMPLETE").source())
