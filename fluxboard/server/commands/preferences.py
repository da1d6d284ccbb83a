"""How a person wants to hear of things, the same on all their terminals."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from fluxboard.model.notify import Preferences, PreferencesAnswer, clock_time
from fluxboard.model.wire import PREFERENCES_UPDATED
from fluxboard.server.commands import fields
from fluxboard.server.errors import BadInput
from fluxboard.server.storage.engine import Committed, Told
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import preferences

PROJECTS_MAX: Final = 500

_preferences: Final = msgspec.json.Decoder(Preferences)
_encode: Final = msgspec.json.Encoder().encode
_FIND: Final = Statement(
    select(preferences.c.body).where(preferences.c.user_id == bindparam("person")), _preferences.decode
)
_put = insert(preferences)
# Both dialects spell ON CONFLICT DO UPDATE alike.
_PUT: Final = command(
    _put.on_conflict_do_update(index_elements=["user_id"], set_={"body": _put.excluded.body})
)


def of_person(tx: Tx, user_id: str) -> Preferences:
    """Somebody's preferences; the defaults for who never set any."""
    return tx.one(_FIND, person=user_id) or Preferences()


def put(tx: Tx, user_id: str, wanted: Preferences) -> Preferences:
    """Keeps somebody's preferences and tells their terminals. Raises BadInput."""
    for field, value in (("quietFrom", wanted.quiet_from), ("quietTo", wanted.quiet_to)):
        if value is not None and clock_time(value) is None:
            raise BadInput(f"{field} must be a time of day such as 22:30", field=field)
    if len(wanted.projects) > PROJECTS_MAX:
        raise BadInput(
            f"There are {len(wanted.projects)} projects, at most {PROJECTS_MAX} fit", field="projects"
        )
    kept = {
        fields.uuid(project_id, "projects"): msgspec.structs.replace(
            project, muted_until=fields.moment(project.muted_until, "mutedUntil")
        )
        for project_id, project in wanted.projects.items()
    }
    wanted = msgspec.structs.replace(wanted, projects=kept)
    tx.run(_PUT, user_id=user_id, body=_encode(wanted).decode())
    payload = _encode(PreferencesAnswer(preferences=wanted))
    told = (Told(user_id, PREFERENCES_UPDATED, payload),)
    tx.announce(Committed("", 0, (), user_id=user_id, told=told))
    return wanted
