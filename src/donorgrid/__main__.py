"""``python -m donorgrid``: the command line."""

from donorgrid.cli import main

if __name__ == "__main__":
    main()
