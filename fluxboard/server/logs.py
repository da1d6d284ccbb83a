"""What the server writes to stderr: one JSON object a line, without what people wrote and without secrets."""

from __future__ import annotations

import logging
import sys
from typing import Final

import msgspec

from fluxboard.model.types import timestamp
from fluxboard.server.requests import request_id


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    _own: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": timestamp(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := request_id():
            line["request"] = name
        given = vars(record)
        line |= {name: given[name] for name in given.keys() - self._own}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def log_to_stderr(level: str) -> None:
    """Sets the logging of this process up; ``level`` is a name such as "info"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    # Nothing of these is written, so nothing of them is looked up for each line (see the logging HOWTO).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The first two log whole packets, with what people wrote; the others what nobody asked.
    for name in ("fluxboard.socketio", "fluxboard.engineio", "alembic", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING if name in {"alembic", "uvicorn"} else logging.ERROR)
