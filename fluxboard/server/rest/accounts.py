"""Sign-up, sign-in, refresh, sign-out."""

from __future__ import annotations

from litestar import Controller

from fluxboard.model.types import User
from fluxboard.model.wire import AuthAnswer, LoginBody, Message, RefreshBody, SignupBody
from fluxboard.server.commands import accounts, fields
from fluxboard.server.commands.access import BAD_TOKEN
from fluxboard.server.commands.accounts import Session
from fluxboard.server.errors import Forbidden, Unauthorized
from fluxboard.server.rest.call import Call
from fluxboard.server.rest.endpoint import called
from fluxboard.server.rest.support import Req, Services, get, post
from fluxboard.server.storage.sql import Tx


class AccountRoutes(Controller):
    path = "/api/auth"
    tags = ("Accounts",)
    middleware = (called,)

    @post("/signup", summary="Create an account")
    async def sign_up(self, data: SignupBody, services: Services) -> AuthAnswer:
        email, name = fields.email(data.email), fields.person_name(data.name)
        user_type = fields.user_type(data.user_type)
        password_hash = await services.passwords.hash(fields.password(data.password))

        def job(tx: Tx) -> tuple[User, Session]:
            user = accounts.sign_up(tx, email, name, user_type, password_hash)
            return user, accounts.open_session(tx, user.id, refresh=data.refresh)

        user, session = await services.storage.write(job)
        return _answer(services, user, session, refresh=data.refresh)

    @post("/login", status_code=200, summary="Sign in")
    async def log_in(self, data: LoginBody, services: Services, request: Req) -> AuthAnswer:
        email = fields.email(data.email)
        key = f"{email} {request.client.host if request.client else ''}"
        services.logins.begin(key)
        account = await services.storage.read(lambda tx: accounts.by_email(tx, email))
        fits = await services.passwords.fits(account.password_hash if account else None, data.password)
        if account is None or not fits:
            services.metrics.login_failures.inc()
            raise Unauthorized("The email address or the password is wrong")
        services.logins.succeeded(key)
        user = account.user
        session = await services.storage.write(
            lambda tx: accounts.open_session(tx, user.id, refresh=data.refresh)
        )
        return _answer(services, user, session, refresh=data.refresh)

    @post("/refresh", status_code=200, summary="Exchange a refresh token for the next one")
    async def refresh(self, data: RefreshBody, services: Services) -> AuthAnswer:
        session_id, generation = services.tokens.read_refresh(data.refresh_token)

        def job(tx: Tx) -> tuple[User, Session] | None:
            session = accounts.rotate(tx, session_id, generation)
            return None if session is None else (accounts.user(tx, session.user_id), session)

        rotated = await services.storage.write(job)
        if rotated is None:
            raise Forbidden(BAD_TOKEN)
        return _answer(services, *rotated, refresh=True)

    @get("/me", summary="The account of the token")
    async def me(self, call: Call) -> User:
        return await call.ask(lambda tx, person: accounts.user(tx, person.id))

    @post("/logout", status_code=200, summary="End the session of the token")
    async def log_out(self, call: Call) -> Message:
        await call.services.storage.write(lambda tx: accounts.revoke(tx, call.caller.session_id))
        return Message(message="Signed out")


def _answer(services: Services, user: User, session: Session, *, refresh: bool) -> AuthAnswer:
    token, expires_at = services.tokens.access(user, session, short=refresh)
    if not refresh:
        return AuthAnswer(token=token, user=user)
    renewal = services.tokens.refresh(session)
    return AuthAnswer(token=token, user=user, refresh_token=renewal, expires_at=expires_at)
