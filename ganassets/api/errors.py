"""The errors that users see, in one family."""

from __future__ import annotations


class GanassetsError(Exception):
    """A failure, described in one sentence that says what to do; the command line exits with `exit_code`.

    >>> GanassetsError("the disk is full; free some space.").exit_code
    1
    """

    exit_code = 1


class InputError(GanassetsError):
    """Something that the user gave (a file, an option, a folder) can't be used.

    >>> error = InputError("skin.png is damaged; export it again.")
    >>> error.exit_code, isinstance(error, GanassetsError)
    (2, True)
    """

    exit_code = 2


class MissingDependencyError(InputError):
    """A library or program that a format needs is not installed; the sentence says how to install it.

    >>> try:
    ...     raise MissingDependencyError("USD needs a library: pip install 'ganassets[usd]'.")
    ... except InputError as error:
    ...     print(error)
    USD needs a library: pip install 'ganassets[usd]'.
    """


class ContractError(InputError):
    """An asset or a set of samples violates the contract of its class.

    The cause is the user's file where one was read, else a plugin.
    """


class PluginError(GanassetsError):
    """A plugin broke its contract.

    Attributes:
        plugin: The plugin with its distribution: "generator 'planks' of ganassets-planks 1.0".
        function: Name of the plugin's function.
        expected: What the function must do.
        found: What it did.
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
    r"""Return an error's class and the first line of its text, to quote in a sentence.

    >>> one_line(ValueError("no luck\nsecond line"))
    'ValueError: no luck'
    """
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a plugin's exception may fail even at being printed
        lines = []
    return f"{type(error).__name__}: {lines[0].rstrip('. ')}" if lines else type(error).__name__
