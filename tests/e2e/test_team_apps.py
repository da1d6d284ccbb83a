"""Two people at two screens feel each other: cursors, typing, follow mode, mentions, the feed, delivery."""

from __future__ import annotations

from fluxboard.model.wire import TaskCreate
from tests.e2e.office import Office, Screenful, in_office
from tests.support.waiting import until


async def live(*people: Screenful) -> None:
    await until(lambda: all(person.sees("● live") for person in people), what="all are live")
    await until(
        lambda: all(len(person.board.board.online) == len({p.name for p in people}) for person in people)
    )


def line_with(person: Screenful, *texts: str) -> bool:
    return any(all(text in line for text in texts) for line in person.lines())


@in_office
async def test_cursors_typing_and_follow_mode(office: Office) -> None:
    ada, bob = await office.person("Ada"), await office.person("Bob")
    await live(ada, bob)
    ada.board.board.create_all([TaskCreate(title="First one"), TaskCreate(title="Second one")])
    await until(lambda: bob.sees("Second one"))
    await bob.press("j", "j")
    await until(lambda: line_with(ada, "Second one", " Bob "), what="bob's name tag")
    await ada.press("F")
    await until(lambda: ada.sees("⇢ Bob"), what="ada follows")
    await bob.press("k")
    await until(lambda: ada.board.cursor.task_id == bob.board.cursor.task_id, what="ada went along")
    await bob.press("e")
    await bob.type("x")
    await until(lambda: ada.sees("✎ Bob: title"), what="bob writes")
    await bob.press("escape", "y")
    await until(lambda: not ada.sees("✎ Bob"), what="no longer")
    await ada.press("j")
    await until(lambda: not ada.sees("⇢ Bob"), what="a key ends it")


@in_office
async def test_a_comment_a_mention_and_the_inbox(office: Office) -> None:
    ada, bob = await office.person("Ada"), await office.person("Bob")
    await live(ada, bob)
    ada.board.board.create(TaskCreate(title="Write"))
    await until(lambda: bob.sees("Write"))
    await ada.press("j", "enter", "c")
    await ada.type("look at this @bo")
    await until(lambda: bob.sees("✎ Ada: comment"), what="bob sees ada write")
    await ada.press("tab", "ctrl+s")
    await until(lambda: ("Ada mentioned you: Write", "information") in bob.toasts(), what="told once")
    assert not [text for text, _ in bob.toasts() if "commented" in text]
    await until(lambda: bob.sees("✉ 1*") and line_with(bob, "Relaunch", "✉ 1"), what="card and header")
    await bob.press("i")
    await until(lambda: bob.sees("Ada called you Write"))
    await bob.press("enter", "enter")
    await until(lambda: bob.sees("look at this @bob") and not bob.sees("✉ 1*"), what="read")
    assert not [text for text, _ in ada.toasts() if "mentioned" in text]


@in_office
async def test_the_feed_and_what_was_seen(office: Office) -> None:
    ada, bob = await office.person("Ada"), await office.person("Bob")
    await live(ada, bob)
    await bob.press("g", "a")
    await ada.press("N")
    await ada.type("Write")
    await ada.press("enter")
    await until(lambda: ada.sees("✓✓ seen by 1"), what="bob has it")
    await until(lambda: bob.sees("Ada created “Write”"), what="live")
    await ada.press("L")
    await until(lambda: bob.sees("Ada moved “Write” to In Progress"))
    await bob.press("enter")
    await until(lambda: bob.board.cursor.task_id in bob.board.board.tasks, what="at the task")


@in_office
async def test_preferences_reach_the_other_terminal_and_hide_me(office: Office) -> None:
    ada, bob = await office.person("Ada"), await office.person("Bob")
    second = await office.terminal(bob)
    await live(ada, bob, second)
    await until(lambda: line_with(ada, "Bob", "×2"), what="two terminals")
    await bob.press("m", "enter", *["j"] * 6, "enter", "escape")
    await until(lambda: second.board.board.inbox.preferences.dnd, what="the other terminal knows")
    await until(lambda: ada.sees("Online 1"), what="gone from ada's list")
    ada.board.board.create(TaskCreate(title="Write"))
    await until(lambda: second.sees("Write") and bool(second.board.news.told), what="heard")
    assert not bob.toasts()
    assert not second.toasts()


@in_office
async def test_two_at_the_settings_keep_what_the_other_saved(office: Office) -> None:
    one = await office.person("Ada")
    two = await office.terminal(one)
    await one.press("comma", "j", "j", "l")
    await one.type("9")
    await one.press("enter")
    await two.press("comma", "enter")
    await two.type("!")
    await two.press("enter", "j", "j", "j", "n")
    await two.type("QA")
    await two.press("enter", "ctrl+s")
    await until(lambda: one.board.board.project.name == "Relaunch!", what="the first one heard")
    await one.press("ctrl+s")
    await until(lambda: two.board.board.project.columns[0].wip_limit == 9, what="the limit")
    project = two.board.board.project
    assert project.name == "Relaunch!"
    assert [column.name for column in project.columns][:3] == ["To Do", "In Progress", "QA"]


@in_office
async def test_what_was_meant_for_a_deleted_task_meets_no_other(office: Office) -> None:
    ada, bob = await office.person("Ada"), await office.person("Bob")
    await live(ada, bob)
    first, second, _ = ada.board.board.create_all([TaskCreate(title=f"Task {number}") for number in range(3)])
    await until(lambda: bob.sees("Task 2"))
    await bob.press("full_stop", *"delete")
    ada.board.board.delete([first])
    await until(lambda: bob.board.cursor.task_id == second, what="the neighbour takes its place")
    await bob.press("enter")
    assert not bob.sees("Delete this task?")
    assert ("This task is no longer in view.", "information") in bob.toasts()
    await bob.press("enter", "x")
    await bob.type("a line")
    ada.board.board.delete([second])
    await until(lambda: bob.sees("Somebody deleted this task"))
    await bob.press("enter")
    assert bob.sees("a line")
    assert any("its checklist takes nothing more" in text for text, _ in bob.toasts())
    assert not bob.sees("cannot be reached now")


@in_office
async def test_a_comment_half_changed_is_kept(office: Office) -> None:
    ada = await office.person("Ada")
    ada.board.board.create(TaskCreate(title="Write"))
    await ada.press("enter", "c")
    await ada.type("said")
    await ada.press("ctrl+s")
    await until(lambda: ada.sees("▌ said"))
    ada.app.screen.query_one("#remarks").children[0].focus()
    await ada.press("e", "end")
    await ada.type(" more")
    await ada.press("escape", "j")
    ada.app.screen.query_one("#remarks").children[0].focus()
    await ada.press("e")
    assert ada.sees("said more")
