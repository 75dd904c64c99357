"""`python -m polydescent` is the polydescent command."""

from polydescent.cli import main

main()
