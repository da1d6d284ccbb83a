"""What a server's answer asks for."""

from __future__ import annotations

import httpx
import pytest

from fluxboard.client.api import Api, ApiError, ApiUnreachable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("90", 90.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:30:30 GMT", 90.0),
        ("in a while", None),
        ("-5", None),
        ("", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
async def test_a_retry_after_names_seconds_or_a_time(header: str, seconds: float | None) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        # By the server's clock; this computer's says something else.
        headers = {"Retry-After": header, "Date": "Wed, 21 Oct 2015 07:29:00 GMT"}
        return httpx.Response(503, json={"error": "busy"}, headers=headers)

    async def token() -> str | None:
        return None

    async def renew() -> bool:
        return False

    api = Api("http://server", token, renew, httpx.MockTransport(answer))
    with pytest.raises(ApiError, match="busy") as told:
        await api.projects()
    assert told.value.retry_after == seconds
    assert told.value.passing
    await api.close()


@pytest.mark.parametrize("status", [301, 302, 307, 407])
async def test_who_sends_us_elsewhere_has_not_looked_at_the_request(status: int) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"Location": "http://hotel.example/sign-in"})

    async def token() -> str | None:
        return None

    async def renew() -> bool:
        return False

    api = Api("http://server", token, renew, httpx.MockTransport(answer))
    with pytest.raises(ApiUnreachable, match=str(status)):
        await api.projects()
    await api.close()
