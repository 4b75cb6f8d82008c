"""`python -m ganassets` is the same as `ganassets`."""

from .cli import main

if __name__ == "__main__":
    main()
