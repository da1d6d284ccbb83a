"""Projects, their members and invites, and the views of their log."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Request, Response
from litestar.params import Parameter

from fluxboard.model.types import Project, ProjectPatch
from fluxboard.model.wire import (
    ActivitiesAnswer,
    ChangesAnswer,
    DoneAnswer,
    InviteAnswer,
    InviteCreate,
    MemberAdd,
    MemberAnswer,
    MemberRole,
    MembersAnswer,
    ProjectAnswer,
    ProjectCreate,
    ProjectDetailAnswer,
    ProjectsAnswer,
)
from fluxboard.server.commands import history, people, projects
from fluxboard.server.commands.access import Access, Person, enter
from fluxboard.server.commands.ledger import Ledger, Op, encode, lock, people_of
from fluxboard.server.rest.call import Call
from fluxboard.server.rest.endpoint import called
from fluxboard.server.rest.support import (
    delete,
    get,
    json,
    post,
    put,
    with_head,
)
from fluxboard.server.storage.sql import Tx


class ProjectRoutes(Controller):
    path = "/api/projects"
    tags = ("Projects",)
    middleware = (called,)

    @get("", summary="My projects")
    async def list_mine(self, call: Call) -> ProjectsAnswer:
        found = await call.ask(projects.of_person)
        return ProjectsAnswer(projects=found)

    @post("", summary="Create a project")
    async def create(self, data: ProjectCreate, call: Call) -> Response[ProjectAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> ProjectAnswer:
            return ProjectAnswer(project=projects.create(tx, person, data, op), message="Project created")

        return await call.mutate_alone(work, status=201)

    @get("/{project_id:str}", summary="A project with its tasks")
    async def one(self, project_id: str, call: Call) -> Response[ProjectDetailAnswer]:
        project, rev = await call.read(
            project_id, lambda tx, access: projects.with_tasks(tx, access.project_id)
        )
        return with_head(ProjectDetailAnswer(project=project), rev)

    @put("/{project_id:str}", summary="Change a project (owner, admin)")
    async def change(self, project_id: str, data: ProjectPatch, call: Call) -> Response[Project]:
        return await call.mutate(project_id, lambda ledger: projects.change(ledger, data))

    @delete("/{project_id:str}", status_code=200, summary="Delete a project (owner)")
    async def remove(self, project_id: str, call: Call) -> Response[DoneAnswer]:
        def work(ledger: Ledger) -> DoneAnswer:
            projects.remove(ledger)
            return DoneAnswer(message="Project deleted", rev=ledger.rev)

        return await call.mutate(project_id, work)

    @get("/{project_id:str}/changes", summary="What came after a revision; If-None-Match answers 304 (Plus)")
    async def changes(
        self, project_id: str, call: Call, since: int, limit: int = 500
    ) -> Response[ChangesAnswer]:
        def work(tx: Tx, access: Access) -> history.RawChanges:
            return history.since(tx, project_id, since, limit)

        return await call.read_once(project_id, ("changes", since, limit), work)

    @get("/{project_id:str}/activities", summary="The activity feed, newest first")
    async def activities(
        self,
        project_id: str,
        call: Call,
        limit: int = 50,
        offset: int = 0,
        kind: Annotated[str | None, Parameter(query="type")] = None,
        user: Annotated[str | None, Parameter(query="userId")] = None,
        date_from: Annotated[str | None, Parameter(query="dateFrom")] = None,
        date_to: Annotated[str | None, Parameter(query="dateTo")] = None,
    ) -> Response[ActivitiesAnswer]:
        wanted = history.Filter(type=kind, user_id=user, date_from=date_from, date_to=date_to)
        found, rev = await call.read(
            project_id,
            lambda tx, access: history.feed(tx, project_id, wanted, limit, offset),
        )
        return with_head(found, rev)


class MemberRoutes(Controller):
    path = "/api/projects/{project_id:str}"
    tags = ("Members",)
    middleware = (called,)

    @get("/members", summary="Who is in the project (Plus)")
    async def members(self, project_id: str, call: Call) -> Response[MembersAnswer]:
        found, rev = await call.read(project_id, lambda tx, access: people_of(tx, project_id))
        return with_head(MembersAnswer(members=found), rev)

    @post("/members", summary="Add a member by email or userId (owner, admin; Plus)")
    async def add(self, project_id: str, data: MemberAdd, call: Call) -> Response[MemberAnswer]:
        def work(ledger: Ledger) -> MemberAnswer:
            return MemberAnswer(member=people.add(ledger, data))

        return await call.mutate(project_id, work, status=201)

    @put("/members/{user_id:str}", summary="Change a member's role (owner, admin; Plus)")
    async def set_role(
        self,
        project_id: str,
        user_id: str,
        data: MemberRole,
        call: Call,
    ) -> Response[MemberAnswer]:
        def work(ledger: Ledger) -> MemberAnswer:
            return MemberAnswer(member=people.set_role(ledger, user_id, data.role))

        return await call.mutate(project_id, work)

    @delete("/members/{user_id:str}", status_code=200, summary="Remove a member, or leave (Plus)")
    async def remove(self, project_id: str, user_id: str, call: Call) -> Response[DoneAnswer]:
        def work(ledger: Ledger) -> DoneAnswer:
            people.remove(ledger, user_id)
            return DoneAnswer(message="Member removed", rev=ledger.rev)

        return await call.mutate(project_id, work)

    @post("/invites", summary="Make an invite (owner, admin; Plus)")
    async def invite(self, project_id: str, data: InviteCreate, call: Call) -> Response[InviteAnswer]:
        origin = str(Request(call.scope).base_url).rstrip("/")

        def job(tx: Tx) -> InviteAnswer:
            lock(tx, project_id)
            code = people.invite(tx, enter(tx, call.caller, project_id), data)
            # After the #, so that the code reaches no server's log when somebody opens the address.
            return InviteAnswer(code=code, url=f"{origin}/#{code}")

        return json(encode(await call.services.storage.write(job)), 201)


class InviteRoutes(Controller):
    path = "/api/invites"
    tags = ("Members",)
    middleware = (called,)

    @post("/{code:str}/accept", status_code=200, summary="Join with an invite's code (Plus)")
    async def accept(self, code: str, call: Call) -> Response[ProjectAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> ProjectAnswer:
            return ProjectAnswer(project=people.accept(tx, person, code, op), message="Joined")

        return await call.mutate_alone(work)
