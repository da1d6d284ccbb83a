"""Who somebody is: passwords, tokens, refresh, sign-out."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from fluxboard.model.types import timestamp
from fluxboard.server.auth import Throttle
from fluxboard.server.errors import TooMany
from tests.server.world import PASSWORD, SECRET, Person, World, done, refused

BAD = "Invalid or expired token"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    return claims


async def me(person: Person, token: str | None = None) -> Any:
    bearer = {"Authorization": f"Bearer {token or person.token}"}
    return await person.world.http.get("/api/auth/me", headers=bearer)


def address() -> str:
    return f"{uuid4().hex}@example.com"


async def test_signing_up_in_and_out(world: World) -> None:
    email = address()
    body = {"email": f" {email.upper()} ", "password": PASSWORD, "name": "  Ada   Lovelace "}
    answer = await world.http.post("/api/auth/signup", json=body)
    assert answer.status_code == 201
    assert answer.json().keys() == {"token", "user"}
    user = answer.json()["user"]
    assert user == {
        "id": user["id"],
        "email": email,
        "name": "Ada Lovelace",
        "userType": "client",
        "createdAt": user["createdAt"],
    }
    signed_in = await done(world.http.post("/api/auth/login", json={"email": email, "password": PASSWORD}))
    assert signed_in["user"] == user
    claims = claims_of(signed_in["token"])
    assert claims.keys() == {"id", "email", "userType", "sid", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 7 * 24 * 3600
    ada = Person(world, "ada", email, user["id"], signed_in["token"])
    assert (await me(ada)).json() == user
    assert await done(ada.post("/api/auth/logout")) == {"message": "Signed out"}
    await refused(me(ada), 403)
    assert (await me(ada, answer.json()["token"])).status_code == 200, "another session lives on"


async def test_no_answer_holds_a_password_hash(world: World) -> None:
    ada = await world.person(refresh=True)
    project = await ada.project()
    task = await ada.task(project)
    await done(ada.post(f"/api/projects/{project}/tasks/{task['id']}/comments", {"content": "hi @ada"}))
    texts = [json.dumps(ada.auth)]
    paths = ["/api/auth/me", "/api/projects"]
    inside = ("", "/members", "/tasks", "/activities", "/changes?since=0", f"/tasks/{task['id']}/comments")
    for path in (*paths, *(f"/api/projects/{project}{part}" for part in inside)):
        texts.append((await ada.get(path)).text)  # noqa: PERF401
    body = {"email": ada.email, "password": PASSWORD}
    texts.append((await world.http.post("/api/auth/login", json=body)).text)
    texts.append(
        json.dumps(
            await done(world.http.post("/api/auth/signup", json=body | {"name": "x", "email": address()}))
        )
    )
    for text in texts:
        assert "argon2" not in text
        assert "assword" not in text
        assert "hash" not in text.lower()


async def test_a_bad_sign_up_names_the_field(world: World) -> None:
    bad: list[dict[str, object]] = [
        {"email": "nobody"},
        {"email": "a b@example.com"},
        {"email": "a@example"},
        {"email": f"{'a' * 250}@example.com"},
        {"email": 7},
        {"email": None},
        {"password": "1234567"},
        {"password": "x" * 1025},
        {"password": ["x"]},
        {"name": " \t\u202e "},
        {"name": "x" * 101},
        {"name": {}},
        {"userType": "king"},
        {"userType": 1},
        {"refresh": "yes"},
    ]
    for change in bad:
        body = {"email": address(), "password": PASSWORD, "name": "ada"} | change
        await refused(world.http.post("/api/auth/signup", json=body), 400, *change)


async def test_sign_up_and_sign_in_name_what_is_missing(world: World) -> None:
    whole = {"email": address(), "password": PASSWORD, "name": "ada"}
    for field in whole:
        body = {name: value for name, value in whole.items() if name != field}
        await refused(world.http.post("/api/auth/signup", json=body), 400, field)
        if field != "name":
            await refused(world.http.post("/api/auth/login", json=body), 400, field)
    await refused(world.http.post("/api/auth/refresh", json={}), 400, "refreshToken")


async def test_an_address_has_one_account_whatever_its_case(world: World) -> None:
    ada = await world.person()
    body = {"email": ada.email.upper(), "password": PASSWORD, "name": "eve"}
    await refused(world.http.post("/api/auth/signup", json=body), 409, "email")


async def test_a_wrong_password_and_an_unknown_address_answer_alike(world: World) -> None:
    ada = await world.person()
    wrong = {"email": ada.email, "password": "not my password"}
    unknown = {"email": address(), "password": PASSWORD}
    told = [await refused(world.http.post("/api/auth/login", json=body), 401) for body in (wrong, unknown)]
    for answer in told:
        del answer["requestId"]  # alone of its request
    assert told[0] == told[1]


# -- the token


def unsigned(claims: dict[str, Any], header: dict[str, str], signature: str = "") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, signature])


async def test_only_our_own_signature_of_the_one_algorithm_counts(world: World) -> None:
    ada = await world.person()
    claims = claims_of(ada.token)
    now = int(time.time())
    head, body, signature = ada.token.split(".")
    forged = [
        unsigned(claims, {"alg": "none", "typ": "JWT"}),
        unsigned(claims, {"alg": "None", "typ": "JWT"}),
        unsigned(claims, {"alg": "HS256", "typ": "JWT"}),
        unsigned(claims, {"alg": "none", "typ": "JWT"}, signature),
        unsigned(claims, {"alg": "RS256", "typ": "JWT"}, signature),
        jwt.encode(claims, SECRET, algorithm="HS512"),
        jwt.encode(claims, "another-secret-that-is-long-enough", algorithm="HS256"),
        unsigned(claims, {"alg": "HS256"}, "AAAA"),
        jwt.encode(claims | {"exp": now - 60}, SECRET, algorithm="HS256"),
        jwt.encode(claims | {"iat": now + 3600}, SECRET, algorithm="HS256"),
        jwt.encode(claims | {"nbf": now + 3600}, SECRET, algorithm="HS256"),
        jwt.encode(claims | {"sid": str(uuid4())}, SECRET, algorithm="HS256"),
        jwt.encode(claims | {"id": str(uuid4())}, SECRET, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, SECRET, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "sid"}, SECRET, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "id"}, SECRET, algorithm="HS256"),
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}",
        "x",
        ada.token + "x",
        "\u00e9",
    ]
    for token in forged:
        answer = await world.http.get("/api/auth/me", headers={"Authorization": f"Bearer {token}".encode()})
        assert (answer.status_code, answer.json()["message"]) == (403, BAD), token
        assert answer.json()["error"] == BAD
    assert (await me(ada)).status_code == 200


async def test_without_a_token_every_route_says_so(world: World) -> None:
    paths = ["/api/auth/me", "/api/projects", "/api/projects/x/tasks", "/api/projects/x/changes?since=0"]
    for path in paths:
        for header in (None, "", "Bearer", "Basic eA==", "bearer"):
            headers = {} if header is None else {"Authorization": header}
            body = await refused(world.http.get(path, headers=headers), 401)
            assert body["message"] == "Access token required"
    for content in (b"", b"{", b"[]", b'{"title": 7}'):
        await refused(world.http.post("/api/projects/x/tasks", content=content), 401)
    await refused(world.http.post("/api/auth/logout"), 401)


async def test_a_token_is_not_read_from_the_address(world: World) -> None:
    ada = await world.person()
    await refused(world.http.get(f"/api/auth/me?token={ada.token}&access_token={ada.token}"), 401)


# -- refresh


async def refresh(world: World, token: object) -> Any:
    return await world.http.post("/api/auth/refresh", json={"refreshToken": token})


async def test_a_refresh_session_has_short_tokens_and_a_successor(world: World) -> None:
    ada = await world.person(refresh=True)
    claims = claims_of(ada.token)
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert ada.auth["expiresAt"] == timestamp(datetime.fromtimestamp(claims["exp"], UTC))
    first = ada.auth["refreshToken"]
    second = (await refresh(world, first)).json()
    assert second.keys() == {"token", "user", "refreshToken", "expiresAt"}
    assert second["refreshToken"] != first
    assert claims_of(second["token"])["sid"] == claims["sid"]
    assert (await me(ada, second["token"])).status_code == 200
    again = (await refresh(world, first)).json()
    assert again["refreshToken"] == second["refreshToken"], "an answer that got lost comes again"
    third = (await refresh(world, second["refreshToken"])).json()
    assert third["refreshToken"] not in {first, second["refreshToken"]}


async def rotated_long_ago(world: World, seconds: int) -> None:
    storage = world.server.live._storage
    assert storage is not None
    at = timestamp(datetime.now(UTC) - timedelta(seconds=seconds))
    await storage.write(lambda tx: tx._execute(f"UPDATE sessions SET rotated_at = '{at}'", {}))


async def test_a_refresh_token_used_again_after_a_minute_ends_the_session(world: World) -> None:
    ada = await world.person(refresh=True)
    first = ada.auth["refreshToken"]
    second = (await refresh(world, first)).json()
    await rotated_long_ago(world, 55)
    assert (await refresh(world, first)).status_code == 200
    await rotated_long_ago(world, 65)
    ear = world.new_ear()
    await ear.connect({"token": second["token"]})
    await refused(refresh(world, first), 403)
    await refused(me(ada, second["token"]), 403)
    await refused(refresh(world, second["refreshToken"]), 403)


async def test_a_grandparent_ends_the_session_even_at_once(world: World) -> None:
    ada = await world.person(refresh=True)
    first = ada.auth["refreshToken"]
    second = (await refresh(world, first)).json()
    third = (await refresh(world, second["refreshToken"])).json()
    await refused(refresh(world, first), 403)
    await refused(refresh(world, third["refreshToken"]), 403)


async def test_forged_refresh_tokens_are_refused_and_harm_nobody(world: World) -> None:
    ada, bob = await world.person(refresh=True), await world.person("bob", refresh=True)
    session, number, signature = ada.auth["refreshToken"].split(".")
    other = bob.auth["refreshToken"].split(".")[0]
    for token in (
        *(
            "",
            "x",
            "..",
            "a.b.c",
            f"{session}.0",
            f"{session}.1.{signature}",
            f"{other}.{number}.{signature}",
        ),
        *(
            f"{session}.-1.{signature}",
            f"{session}.\u0663.{signature}",
            f"{session}.{'9' * 5000}.{signature}",
        ),
        *(f"{session}.{number}.{signature}x", f"{session}.00.{signature}", ada.token),
    ):
        await refused(refresh(world, token), 403)
    await refused(refresh(world, 7), 400, "refreshToken")
    assert (await refresh(world, ada.auth["refreshToken"])).status_code == 200


async def test_signing_out_ends_the_refresh_token_too(world: World) -> None:
    ada = await world.person(refresh=True)
    await done(ada.post("/api/auth/logout"))
    await refused(refresh(world, ada.auth["refreshToken"]), 403)
    plain = await world.person("bob")
    assert "refreshToken" not in plain.auth


# -- the throttle


async def test_guessing_is_throttled_even_when_all_guesses_come_at_once(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    body = {"email": ada.email, "password": "a guess"}
    answers = await asyncio.gather(*(world.http.post("/api/auth/login", json=body) for _ in range(30)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    # At once, each server may let as many through as it would alone; what follows is known to all of them.
    assert 10 <= statuses.count(401) <= 10 * len(world.servers)
    right = {"email": ada.email.upper(), "password": PASSWORD}
    answer = await world.http.post("/api/auth/login", json=right)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert "Try again in" in answer.json()["error"]
    await done(world.http.post("/api/auth/login", json={"email": bob.email, "password": PASSWORD}))


async def test_signing_in_is_not_throttled(world: World) -> None:
    ada = await world.person()
    for _ in range(15):
        await done(world.http.post("/api/auth/login", json={"email": ada.email, "password": PASSWORD}))


def test_the_throttle_forgets() -> None:
    now = 0.0
    throttle = Throttle(limit=2, window=10, clock=lambda: now)
    throttle.begin("a")
    now = 4
    throttle.begin("a")
    with pytest.raises(TooMany) as caught:
        throttle.begin("a")
    assert caught.value.retry_after == 7
    throttle.begin("b")
    now = 10.5
    throttle.begin("a")
    with pytest.raises(TooMany):
        throttle.begin("a")
    throttle.succeeded("a")
    throttle.succeeded("a")
    throttle.succeeded("b")
    assert not throttle._failures
