"""The one family of errors that users see."""

from __future__ import annotations


class GanassetsError(Exception):
    """A failure told in one sentence that says what to do; the command line exits with `exit_code`."""

    exit_code = 1


class InputError(GanassetsError):
    """Something the user gave (a file, an option, a folder) can't be used."""

    exit_code = 2


class ContractError(InputError):
    """An asset or a set of samples isn't what its class promises: the user's file where one was read, else a plugin."""


class PluginError(GanassetsError):
    """A plugin broke its contract.

    Attributes:
        plugin: which, with its distribution: "generator 'planks' of ganassets-planks 1.0".
        function: of the plugin.
        expected: what the function must do.
        found: what it did.
    """

    def __init__(self, plugin: str, function: str, expected: str, found: str) -> None:
        super().__init__(plugin, function, expected, found)
        self.plugin, self.function, self.expected, self.found = plugin, function, expected, found

    def __str__(self) -> str:
        found = self.found.rstrip(".")
        return (
            f"{self.plugin}: {self.function} must {self.expected}, but {found}; update the plugin or tell its author."
        )


def one_line(error: BaseException) -> str:
    """An error's class and the first line of its text, for a sentence: "KeyError: 'x'"."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a stranger's exception may fail even at being printed
        lines = []
    return f"{type(error).__name__}: {lines[0].rstrip('. ')}" if lines else type(error).__name__
