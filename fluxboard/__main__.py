"""``python -m fluxboard`` and the ``fluxboard`` command."""

from fluxboard.cli.main import main

if __name__ == "__main__":
    main()
