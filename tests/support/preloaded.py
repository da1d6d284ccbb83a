"""What a server and a client import on their way, at once: see :mod:`tests.support.forking`."""

from __future__ import annotations

import alembic.command
import httpx
import socketio

import fluxboard.cli.main
import fluxboard.client.session
import fluxboard.server.process
import fluxboard.server.storage.sqlite
import fluxboard.server.workers
import tests.crash.victim

__all__ = ["alembic", "fluxboard", "httpx", "socketio", "tests"]
