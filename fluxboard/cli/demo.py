"""The demo: a seeded board on a real server of its own, and two teammates who are real clients."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from fluxboard.cli.board import settings
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.local_server import ServerDidNotStart, start, stop
from fluxboard.cli.teammates import SEED, TEAM, Invitation
from fluxboard.client.session import Session
from fluxboard.model.wire import BatchBody, BatchOp


def run_demo(seconds: float | None) -> None:
    """Opens the demo's board; everything it started and wrote is gone when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="fluxboard-demo-"))
    try:
        url, server = start(folder, detached=False)
    except ServerDidNotStart as error:  # its log is in the folder, which stays
        raise CommandFailed(str(error)) from None
    mates = subprocess.Popen(
        [sys.executable, "-P", "-m", "fluxboard.cli.teammates"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        run(_play(url, mates, seconds))
    finally:
        stop(mates)
        stop(server)
        shutil.rmtree(folder)


async def _play(url: str, mates: subprocess.Popen[bytes], seconds: float | None) -> None:
    from fluxboard.cli.memory import FileMemory
    from fluxboard.tui.app import FluxboardApp
    from fluxboard.tui.memory import NoMemory

    config, problems = settings()
    # Who tries the demo sees the first steps there, and again on the first board of their own.
    memory = NoMemory(seen_tour=FileMemory().seen_tour)
    session = await Session.open(url, remember=False)
    name = (os.environ.get("USER") or "you").capitalize()
    await session.sign_up("you@demo.local", secrets.token_urlsafe(16), name)
    project = await session.create_project("Website relaunch", "A board to play with.")
    ops = tuple(BatchOp(op="create", task=task) for task in SEED)
    await session.api.batch(project.id, BatchBody(ops=ops))
    invite = await session.api.create_invite(project.id, role="member", expires_in=3600, max_uses=len(TEAM))
    invitation = Invitation(server=url, project_id=project.id, code=invite.code)
    try:
        if mates.stdin is not None:
            mates.stdin.write(msgspec.json.encode(invitation) + b"\n")
            mates.stdin.flush()
        app = FluxboardApp(session, project.id, config=config, memory=memory, problems=problems)
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, app.exit)
        await app.run_async()
    finally:
        await session.close()
