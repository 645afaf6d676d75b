"""`python -m adas_runtime`: the command line, where the program `adas` is not on the path."""

from adas_runtime.cli import run

if __name__ == "__main__":
    run()
