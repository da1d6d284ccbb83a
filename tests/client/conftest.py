from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fluxboard.client.live import Timing
from tests.support.core_server import CoreServer

#: The same schedule as in life, a hundred times faster where it waits.
QUICK = Timing(
    first_tries=(0.05, 0.1, 0.1, 0.1, 0.1),
    slow_retry=0.5,
    poll=0.2,
    core_poll=0.2,
    gap=0.05,
    connect=2.0,
    retry_min=0.01,
    retry_max=0.05,
)


@pytest.fixture
async def core() -> AsyncIterator[CoreServer]:
    async with CoreServer() as server:
        yield server
