"""Projects, their members and invites, and the views of their log."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.params import Parameter

from fluxboard.model.types import Project, ProjectPatch
from fluxboard.model.wire import (
    PROJECT_REV,
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
from fluxboard.server.commands.access import Access, Caller, Person, enter, identify
from fluxboard.server.commands.ledger import Ledger, Op, encode, lock, people_of
from fluxboard.server.rest.support import (
    Req,
    Services,
    delete,
    etag,
    get,
    json,
    mutate,
    mutate_alone,
    post,
    put,
    read,
    signed_in,
    with_head,
)
from fluxboard.server.storage.sql import Tx


class ProjectRoutes(Controller):
    path = "/api/projects"
    tags = ("Projects",)
    guards = (signed_in,)

    @get("", summary="My projects")
    async def list_mine(self, services: Services, caller: Caller) -> ProjectsAnswer:
        found = await services.storage.read(lambda tx: projects.of_person(tx, identify(tx, caller)))
        return ProjectsAnswer(projects=found)

    @post("", summary="Create a project")
    async def create(
        self, data: ProjectCreate, request: Req, services: Services, caller: Caller
    ) -> Response[ProjectAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> ProjectAnswer:
            return ProjectAnswer(project=projects.create(tx, person, data, op), message="Project created")

        return await mutate_alone(request, services, caller, work, status=201)

    @get("/{project_id:str}", summary="A project with its tasks")
    async def one(self, project_id: str, services: Services, caller: Caller) -> Response[ProjectDetailAnswer]:
        project, rev = await read(
            services, caller, project_id, lambda tx, access: projects.with_tasks(tx, access.project_id)
        )
        return with_head(ProjectDetailAnswer(project=project), rev)

    @put("/{project_id:str}", summary="Change a project (owner, admin)")
    async def change(
        self, project_id: str, data: ProjectPatch, request: Req, services: Services, caller: Caller
    ) -> Response[Project]:
        return await mutate(
            request, services, caller, project_id, lambda ledger: projects.change(ledger, data)
        )

    @delete("/{project_id:str}", status_code=200, summary="Delete a project (owner)")
    async def remove(
        self, project_id: str, request: Req, services: Services, caller: Caller
    ) -> Response[DoneAnswer]:
        def work(ledger: Ledger) -> DoneAnswer:
            projects.remove(ledger)
            return DoneAnswer(message="Project deleted", rev=ledger.rev)

        return await mutate(request, services, caller, project_id, work)

    @get("/{project_id:str}/changes", summary="What came after a revision; If-None-Match answers 304 (Plus)")
    async def changes(
        self,
        project_id: str,
        services: Services,
        caller: Caller,
        since: int,
        limit: int = 500,
        known: Annotated[str | None, Parameter(header="If-None-Match")] = None,
    ) -> Response[ChangesAnswer]:
        def work(tx: Tx, access: Access) -> history.RawChanges | None:
            if known is not None and known == etag(projects.head(tx, project_id)):
                return None
            return history.since(tx, project_id, since, limit)

        found, rev = await read(services, caller, project_id, work)
        headers = {PROJECT_REV: str(rev), "ETag": etag(rev)}
        return json(b"", 304, headers) if found is None else json(encode(found), headers=headers)

    @get("/{project_id:str}/activities", summary="The activity feed, newest first")
    async def activities(
        self,
        project_id: str,
        services: Services,
        caller: Caller,
        limit: int = 50,
        offset: int = 0,
        kind: Annotated[str | None, Parameter(query="type")] = None,
        user: Annotated[str | None, Parameter(query="userId")] = None,
        date_from: Annotated[str | None, Parameter(query="dateFrom")] = None,
        date_to: Annotated[str | None, Parameter(query="dateTo")] = None,
    ) -> Response[ActivitiesAnswer]:
        wanted = history.Filter(type=kind, user_id=user, date_from=date_from, date_to=date_to)
        found, rev = await read(
            services,
            caller,
            project_id,
            lambda tx, access: history.feed(tx, project_id, wanted, limit, offset),
        )
        return with_head(found, rev)


class MemberRoutes(Controller):
    path = "/api/projects/{project_id:str}"
    tags = ("Members",)
    guards = (signed_in,)

    @get("/members", summary="Who is in the project (Plus)")
    async def members(self, project_id: str, services: Services, caller: Caller) -> Response[MembersAnswer]:
        found, rev = await read(services, caller, project_id, lambda tx, access: people_of(tx, project_id))
        return with_head(MembersAnswer(members=found), rev)

    @post("/members", summary="Add a member by email or userId (owner, admin; Plus)")
    async def add(
        self, project_id: str, data: MemberAdd, request: Req, services: Services, caller: Caller
    ) -> Response[MemberAnswer]:
        def work(ledger: Ledger) -> MemberAnswer:
            return MemberAnswer(member=people.add(ledger, data))

        return await mutate(request, services, caller, project_id, work, status=201)

    @put("/members/{user_id:str}", summary="Change a member's role (owner, admin; Plus)")
    async def set_role(
        self,
        project_id: str,
        user_id: str,
        data: MemberRole,
        request: Req,
        services: Services,
        caller: Caller,
    ) -> Response[MemberAnswer]:
        def work(ledger: Ledger) -> MemberAnswer:
            return MemberAnswer(member=people.set_role(ledger, user_id, data.role))

        return await mutate(request, services, caller, project_id, work)

    @delete("/members/{user_id:str}", status_code=200, summary="Remove a member, or leave (Plus)")
    async def remove(
        self, project_id: str, user_id: str, request: Req, services: Services, caller: Caller
    ) -> Response[DoneAnswer]:
        def work(ledger: Ledger) -> DoneAnswer:
            people.remove(ledger, user_id)
            return DoneAnswer(message="Member removed", rev=ledger.rev)

        return await mutate(request, services, caller, project_id, work)

    @post("/invites", summary="Make an invite (owner, admin; Plus)")
    async def invite(
        self, project_id: str, data: InviteCreate, request: Req, services: Services, caller: Caller
    ) -> Response[InviteAnswer]:
        origin = str(request.base_url).rstrip("/")

        def job(tx: Tx) -> InviteAnswer:
            lock(tx, project_id)
            code = people.invite(tx, enter(tx, caller, project_id), data)
            # After the #, so that the code reaches no server's log when somebody opens the address.
            return InviteAnswer(code=code, url=f"{origin}/#{code}")

        return json(encode(await services.storage.write(job)), 201)


class InviteRoutes(Controller):
    path = "/api/invites"
    tags = ("Members",)
    guards = (signed_in,)

    @post("/{code:str}/accept", status_code=200, summary="Join with an invite's code (Plus)")
    async def accept(
        self, code: str, request: Req, services: Services, caller: Caller
    ) -> Response[ProjectAnswer]:
        def work(tx: Tx, person: Person, op: Op) -> ProjectAnswer:
            return ProjectAnswer(project=people.accept(tx, person, code, op), message="Joined")

        return await mutate_alone(request, services, caller, work)
