"""A person's inbox and preferences."""

from __future__ import annotations

from litestar import Controller, Response

from fluxboard.model.notify import InboxAnswer, InboxDone, Mute, Preferences, PreferencesAnswer
from fluxboard.model.wire import DoneAnswer
from fluxboard.server.commands import inbox, preferences, tasks
from fluxboard.server.commands.access import Person, enter
from fluxboard.server.commands.ledger import Op
from fluxboard.server.errors import BadInput, NotFound
from fluxboard.server.rest.call import Call
from fluxboard.server.rest.endpoint import called
from fluxboard.server.rest.support import get, post, put
from fluxboard.server.storage.sql import Tx

#: So many items may be marked with one request.
IDS_MAX = 1000


class InboxRoutes(Controller):
    path = "/api"
    tags = ("Inbox",)
    middleware = (called,)

    @get("/inbox", summary="What concerns me, newest first (Plus)")
    async def list_mine(self, call: Call, done: bool = False, limit: int = 100) -> InboxAnswer:
        return await call.ask(lambda tx, person: inbox.read(tx, person.id, done=done, limit=limit))

    @post("/inbox/done", status_code=200, summary="Mark items as done, or not done again (Plus)")
    async def mark(self, data: InboxDone, call: Call) -> Response[InboxAnswer]:
        if len(data.ids) > IDS_MAX:
            raise BadInput(f"At most {IDS_MAX} items at a time", field="ids")

        def work(tx: Tx, person: Person, op: Op) -> InboxAnswer:
            inbox.mark(tx, person.id, data)
            return inbox.read(tx, person.id, done=False, limit=inbox.ITEMS_MAX)

        return await call.mutate_alone(work)

    @put(
        "/projects/{project_id:str}/tasks/{task_id:str}/mute",
        summary="Have a task be quiet, or no longer (Plus)",
    )
    async def mute(
        self,
        project_id: str,
        task_id: str,
        data: Mute,
        call: Call,
    ) -> Response[DoneAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> DoneAnswer:
            if not tasks.exists(tx, enter(tx, call.caller, project_id), task_id):
                raise NotFound(tasks.NO_TASK)
            inbox.mute(tx, person.id, task_id, muted=data.muted)
            return DoneAnswer(message="Muted" if data.muted else "No longer muted")

        return await call.mutate_alone(work)

    @get("/preferences", summary="How I want to hear of things (Plus)")
    async def preferences(self, call: Call) -> PreferencesAnswer:
        found = await call.ask(lambda tx, person: preferences.of_person(tx, person.id))
        return PreferencesAnswer(preferences=found)

    @put("/preferences", summary="Set how I want to hear of things (Plus)")
    async def set_preferences(self, data: Preferences, call: Call) -> Response[PreferencesAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> PreferencesAnswer:
            return PreferencesAnswer(preferences=preferences.put(tx, person.id, data))

        return await call.mutate_alone(work)
