"""What a server and a client import on their way, at once: see :mod:`tests.support.forking`.

Passwords are hashed cheaply, as in the tests of the server: nobody is asked to guess them here.
"""

from __future__ import annotations

import functools

import alembic.command
import argon2
import httpx
import socketio

import fluxboard.cli.main
import fluxboard.client.session
import fluxboard.server.auth
import fluxboard.server.process
import fluxboard.server.storage.sqlite
import fluxboard.server.workers
import tests.crash.victim

fluxboard.server.auth.PasswordHasher = functools.partial(  # type: ignore[assignment,misc]
    argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1
)

__all__ = ["alembic", "fluxboard", "httpx", "socketio", "tests"]
