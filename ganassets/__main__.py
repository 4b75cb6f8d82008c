"""Run the command line with `python -m ganassets`."""

from .cli import main

if __name__ == "__main__":
    main()
