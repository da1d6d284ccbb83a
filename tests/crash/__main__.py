"""``python -m tests.crash [--kills N]``: kills servers and clients and prints what became of their writes."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.crash.killing import kill_clients, kill_servers


def main() -> None:
    """Prints a line for servers and one for clients; the exit code is 1 after a loss."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    given = parser.parse_args()
    bad = False
    for name, kill in (("server", kill_servers), ("client", kill_clients)):
        with tempfile.TemporaryDirectory() as folder:
            tally = list(kill(given.kills, Path(folder)))[-1]
            print(f"{name}: {tally}", flush=True)
            bad = bad or bool(tally.lost or tally.doubled or tally.broken)
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
