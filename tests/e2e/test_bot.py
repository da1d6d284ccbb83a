"""The bot of the documentation, run as it is written there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from fluxboard.model.types import COMPLETED
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Team
from tests.support.waiting import until

DOC = Path(__file__).parents[2] / "docs" / "bot.md"


async def test_it_thanks_and_tells(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    ada = await team.person("ada")
    await team.person("bot")
    await team.people[1].board.close()
    (code,) = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.S)
    names: dict[str, object] = {}
    exec(compile(code, str(DOC), "exec"), names)
    main = names["main"](team.server.url, "bot@example.com", "correct horse", "Relaunch")  # type: ignore[operator]
    running = asyncio.create_task(main)
    await until(lambda: {user.name for user in ada.board.online} == {"ada", "bot"}, what="the bot is there")
    task_id = ada.board.create(TaskCreate(title="the plan"))
    ada.board.move([task_id], COMPLETED)
    await until(lambda: "Thank ada for the plan" in ada.titles(), what="thanks")
    running.cancel()
    printed = capsys.readouterr().out
    assert "connection: live" in printed
    assert "online: ada, bot" in printed or "online: bot, ada" in printed
