"""``python -m tests.breakages``: breaks the program on purpose, one way after the other, and runs its tests.

Each breakage is made in a copy. The exit code is 1 when the tests do not notice one of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Breakage:
    """Texts of a file that become others, and the tests that must fail then."""

    name: str
    path: str
    changes: tuple[tuple[str, str], ...]
    tests: str


BREAKAGES: Final = (
    Breakage(
        "no idempotency: a request that is sent again is done again",
        "fluxboard/server/rest/call.py",
        (
            (
                "            if op.key is not None:\n                # The first",
                "            if False:\n                # The first",
            ),
            (
                "            if op.key is not None:\n                answers.keep(tx, visitor",
                "            if False:\n                answers.keep(tx, visitor",
            ),
        ),
        "tests/simulation",
    ),
    Breakage(
        "fetch, then join: what is committed in between is not heard",
        "fluxboard/client/live.py",
        (
            ("        await self._joined()  # who", "        # who"),
            (
                "        await client.emit(JOIN_",
                "        await self._joined()\n        await client.emit(JOIN_",
            ),
        ),
        "tests/client/test_live.py",
    ),
    Breakage(
        "the revision is counted outside the transaction",
        "fluxboard/server/commands/ledger.py",
        (
            ("_METADATA_MAX: Final = 500\n", "_METADATA_MAX: Final = 500\n_COUNTED: dict[str, int] = {}\n"),
            ("        self.rev = row.rev\n", "        self.rev = _COUNTED.get(row.id, row.rev)\n"),
            ("        self.rev += 1\n", "        self.rev += 1\n        _COUNTED[self.row.id] = self.rev\n"),
        ),
        "tests/simulation",
    ),
    Breakage(
        "no tombstone: what was deleted is changed as if it were there",
        "fluxboard/server/commands/tasks.py",
        (("    if row.deleted_at is not None:\n", "    if row.deleted_at == '':\n"),),
        "tests/simulation",
    ),
    Breakage(
        "own edits are written into the confirmed state",
        "fluxboard/client/replica.py",
        (
            (
                "        self.pending.append(edit)\n",
                "        self.pending.append(edit)\n"
                "        if (early := edit.on(self.confirmed.get(edit.task_id))) is not None:\n"
                "            self.confirmed[edit.task_id] = early\n",
            ),
        ),
        "tests/client/test_replica.py",
    ),
    Breakage(
        "the queue is sent in another order",
        "fluxboard/client/outbox.py",
        (
            (
                "        first = self._queue[0]\n",
                "        self._queue.rotate(1)\n        first = self._queue[0]\n",
            ),
        ),
        "tests/client/test_outbox.py",
    ),
    Breakage(
        "an edit is sent before it is on disk",
        "fluxboard/client/outbox.py",
        (("                await self._wait_for_disk(queued)\n", "                pass\n"),),
        "tests/client/test_outbox.py",
    ),
    Breakage(
        "an old answer brings back what was deleted since",
        "fluxboard/client/replica.py",
        (("            if not 0 < task.rev <= self.rev:\n", "            if task.rev >= 0:\n"),),
        "tests/simulation",
    ),
    Breakage(
        "who lost access stays in the room",
        "fluxboard/server/live.py",
        (("        for user_id in committed.removed_users:\n", "        for user_id in ():\n"),),
        "tests/simulation",
    ),
    Breakage(
        "rooms hear commits as they come, not in the order of their revisions",
        "fluxboard/server/feed.py",
        (("            if since > room.rev:\n                break\n", ""),),
        "tests/simulation",
    ),
    Breakage(
        "a list that comes instead of the log says nothing of who changed what",
        "fluxboard/client/replica.py",
        (("                self._note_unheard()\n", "                pass\n"),),
        "tests/client/test_undo.py",
    ),
    Breakage(
        "a step back overwrites what others did unseen",
        "fluxboard/server/commands/conflicts.py",
        (("(if_unchanged or name in", "(name in"),),
        "tests/client/test_undo.py",
    ),
    Breakage(
        "what asks unbidden does not keep a Retry-After",
        "fluxboard/client/calls.py",
        (("self._rest_until = max(", "_ = max("),),
        "tests/client/test_catching_up.py",
    ),
    Breakage(
        "a server on this computer that died is not looked for again",
        "fluxboard/client/session.py",
        (("            self._arrive = self._home\n", "            pass\n"),),
        "tests/client/test_session.py",
    ),
    Breakage(
        "a room that was refused counts as entered",
        "fluxboard/client/live.py",
        (("        if why_not is not None:\n", "        if why_not == 1:\n"),),
        "tests/client/test_live.py",
    ),
    Breakage(
        "two terminals: an older revision is cached over a newer one",
        "fluxboard/client/local.py",
        ((" WHERE excluded.rev >= tasks.rev", ""),),
        "tests/client/test_outbox.py",
    ),
)


def noticed(breakage: Breakage) -> bool:
    """Whether the tests fail on a copy that has the breakage."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "fluxboard"
        ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", "screenshots")
        shutil.copytree(ROOT, copy, ignore=ignored)
        broken = copy / breakage.path
        text = broken.read_text()
        for old, new in breakage.changes:
            if old not in text:
                raise SystemExit(f"{breakage.path} no longer has the text that is broken: {old!r}")
            text = text.replace(old, new, 1)
        broken.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", breakage.tests],
            cwd=copy,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(copy), "HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 1}:
            raise SystemExit(f"the tests did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.returncode == 1


def main() -> None:
    """Prints a line for each breakage."""
    missed = 0
    for breakage in BREAKAGES:
        caught = noticed(breakage)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}  {breakage.name}  ({breakage.tests})", flush=True)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
