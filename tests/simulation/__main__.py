"""``python -m tests.simulation [--seeds N]``: runs worlds and prints what was violated."""

from __future__ import annotations

import argparse
import logging
import os
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.world import simulate


def outcome(seed: int) -> tuple[int, str | None]:
    """A seed and what went wrong in its world."""
    logging.disable(logging.WARNING)  # that nodes do not hear each other is what a world is about
    try:
        simulate(seed)
    except Exception as error:
        return seed, f"{type(error).__name__}: {error}"
    return seed, None


def main() -> None:
    """Runs the seeds that the command line asks for; the exit code is 1 after a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, help="only this one, with a traceback")
    given = parser.parse_args()
    if given.seed is not None:
        try:
            simulate(given.seed)
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
        print(f"seed {given.seed}: nothing violated")
        return
    started, bad = time.monotonic(), 0
    with ProcessPoolExecutor(given.jobs) as pool:
        for seed, problem in pool.map(outcome, range(given.first, given.first + given.seeds), chunksize=8):
            if problem is not None:
                bad += 1
                print(f"{problem[:600]}\n  again: python -m tests.simulation --seed {seed}", flush=True)
    print(f"{given.seeds} seeds, {bad} violations, {time.monotonic() - started:.0f} s")
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
