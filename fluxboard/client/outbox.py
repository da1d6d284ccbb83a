"""The queue of own edits: on disk first, then sent in order until each is confirmed or refused."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec

from fluxboard.client.api import ApiError, ApiUnreachable
from fluxboard.client.calls import RETRY_AFTER_MAX
from fluxboard.client.edits import Create, Delete, Edit, Update
from fluxboard.client.live import Timing
from fluxboard.client.local import LocalStore, Refusal
from fluxboard.model.types import BATCH_MAX, new_id

#: The status of an edit whose task the server did not take.
DEPENDS = 424
#: The status of an edit at which the server failed, or this program.
FAILED = 500
#: It is tried so often, for about two minutes: then it does not hold up those behind it any longer.
FAILURES_MAX = 12

log = logging.getLogger("fluxboard.client.outbox")


@dataclass(frozen=True, slots=True)
class Attention:
    """An edit that the server did not take, kept until its author decides."""

    edit: Edit
    refusal: Refusal
    title: str


@dataclass(slots=True)
class _Queued:
    edit: Edit
    on_disk: Future[None] | None


class Outbox:
    """One project's unsent edits.

    ``send`` delivers one, or those of one step where ``together`` allows it; what may pass (no network, 429,
    5xx) is tried again with the same keys, what is refused is kept in :attr:`attention`, told to ``refused``,
    and the next one follows. ``title_of`` names the task of an edit, ``unreachable`` hears whether the server
    can be reached, ``failed`` why this computer's disk cannot be written.
    """

    def __init__(
        self,
        store: LocalStore,
        place: tuple[str, str],
        timing: Timing,
        *,
        send: Callable[[list[Edit]], Awaitable[list[ApiError | None]]],
        together: Callable[[], bool],
        refused: Callable[[Attention], None],
        title_of: Callable[[Edit], str],
        unreachable: Callable[[bool], None],
        failed: Callable[[str], None],
    ) -> None:
        """``place`` is the account and the project."""
        self._store = store
        self._place = place
        self._timing = timing
        self._send = send
        self._together = together
        self._alone: set[str] = set()
        self._refused = refused
        self._title_of = title_of
        self._unreachable = unreachable
        self._failed = failed
        self._queue: deque[_Queued] = deque()
        self._attention: dict[str, Attention] = {}
        self._added = asyncio.Event()
        self._retry_now = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def attention(self) -> tuple[Attention, ...]:
        """What the server refused, oldest first."""
        return tuple(self._attention.values())

    def __len__(self) -> int:
        return len(self._queue)

    def adopt(self) -> list[Edit]:
        """Takes over what programs left that ended: answers what to send, in order; the refused wait."""
        pending, mine = [], {queued.edit.op_id for queued in self._queue} | self._attention.keys()
        for stored in self._store.adopt(*self._place):
            if stored.edit.op_id in mine:
                continue
            if stored.refusal is not None:
                title = self._title_of(stored.edit) or _title_in(stored.refusal)
                self._attention[stored.edit.op_id] = Attention(stored.edit, stored.refusal, title)
            else:
                pending.append(stored.edit)
        self._enqueue(pending, None)
        return pending

    def put(self, edits: Iterable[Edit], instead_of: Iterable[str] = ()) -> None:
        """Queues edits, instead of refused ones of these ids; they are sent once they are on disk."""
        added, gone = list(edits), [op_id for op_id in instead_of if self._attention.pop(op_id, None)]
        self._enqueue(added, self._store.append(*self._place, added, gone))

    def rename(self, task_id: str, server_id: str) -> None:
        """The server calls a task otherwise; what is unsent must survive a restart under its name."""
        for queued in self._queue:
            if queued.edit.task_id == task_id:
                self._store.replace(msgspec.structs.replace(queued.edit, task_id=server_id))

    def again(self, op_id: str, base_rev: int | None) -> dict[str, Edit]:
        """Edits that do again what was refused, made from revision ``base_rev``, by the ids of those.

        They are to be put instead of them.
        """
        item = self._attention.get(op_id)
        if item is None:
            return {}
        again = [item.edit]
        if isinstance(item.edit, Create):
            others = [other.edit for other in self.attention if other.edit.task_id == item.edit.task_id]
            again += [edit for edit in others if edit.op_id != op_id]
        return {edit.op_id: _again(edit, base_rev) for edit in again}

    def discard(self, op_id: str) -> None:
        """Gives up an edit that was refused."""
        if self._attention.pop(op_id, None) is not None:
            self._store.done(op_id)

    def hurry(self) -> None:
        """The server is back: what waits to be tried again is tried now."""
        self._retry_now.set()

    async def idle(self) -> None:
        """Returns when nothing is queued."""
        await self._empty.wait()

    async def on_disk(self) -> None:
        """Returns when every edit is on this computer's disk."""
        for queued in list(self._queue):
            if queued.on_disk is not None:
                await asyncio.wrap_future(queued.on_disk)

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            if not self._queue:
                self._empty.set()
                self._added.clear()
                await self._added.wait()
            step = self._next_step()
            for queued in step:
                await self._wait_for_disk(queued)
            outcomes = await self._deliver([queued.edit for queued in step])
            if outcomes is None:  # not as one, for what one of them is: each by itself
                step = step[:1]
                self._alone.update(queued.edit.step for queued in step)
                outcomes = await self._deliver([step[0].edit]) or []
            for _ in step:
                self._queue.popleft()
            for queued, error in zip(step, outcomes, strict=True):
                if error is None:
                    self._store.done(queued.edit.op_id)
                else:
                    self._refuse(queued.edit, error)

    def _next_step(self) -> list[_Queued]:
        """The first edit, with those behind it that are one step with it."""
        first = self._queue[0]
        name = first.edit.step
        if not name or name in self._alone or not self._together():
            return [first]
        step = itertools.takewhile(lambda queued: queued.edit.step == name, self._queue)
        return list(itertools.islice(step, BATCH_MAX))

    def _enqueue(self, edits: Iterable[Edit], on_disk: Future[None] | None) -> None:
        self._queue.extend(_Queued(edit, on_disk) for edit in edits)
        if self._queue:
            self._empty.clear()
            self._added.set()

    async def _wait_for_disk(self, queued: _Queued) -> None:
        if queued.on_disk is None:
            return
        try:
            await asyncio.wrap_future(queued.on_disk)
        except Exception as error:  # the server may still keep what this disk cannot
            self._failed(f"Your edit could not be written on this computer: {error}")

    async def _deliver(self, edits: list[Edit]) -> list[ApiError | None] | None:
        """Sends until there is an answer: for each edit why it was refused, or None.

        None alone where several were refused as a whole.
        """
        tries = failures = 0
        while True:
            self._retry_now.clear()
            error: ApiError | None = None
            try:
                outcomes = await self._send(edits)
            except ApiUnreachable:
                self._unreachable(True)
            except Exception as problem:
                error = _refusal_of(problem)
                failures += error.status == FAILED
                if failures == FAILURES_MAX or not (error.passing or error.signed_out):
                    return [error] if len(edits) == 1 else None
            else:
                self._unreachable(False)
                return outcomes
            tries += 1
            # Full jitter: many clients that lost one server do not come back in step.
            delay = random.uniform(  # noqa: S311 - no secret
                self._timing.retry_min, max(self._timing.retry_min, min(self._timing.retry_max, 2.0**tries))
            )
            if error is not None and error.retry_after is not None:
                # Not before the server wants it, whoever is in a hurry.
                await asyncio.sleep(min(error.retry_after, RETRY_AFTER_MAX) + random.uniform(0, delay))  # noqa: S311
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._retry_now.wait()

    def _refuse(self, edit: Edit, error: ApiError) -> None:
        self._park(edit, error)
        if not isinstance(edit, Create):
            return
        # What was done to a task that is not there cannot succeed either; it waits with it.
        waiting = [queued.edit for queued in self._queue if queued.edit.task_id == edit.task_id]
        self._queue = deque(queued for queued in self._queue if queued.edit.task_id != edit.task_id)
        depends = ApiError(DEPENDS, "The task itself was refused")
        for other in waiting:
            self._park(other, depends)

    def _park(self, edit: Edit, error: ApiError) -> None:
        refusal = Refusal(reason=str(error), status=error.status, conflict=error.conflict, gone=error.gone)
        item = Attention(edit, refusal, self._title_of(edit) or _title_in(refusal))
        self._attention[edit.op_id] = item
        self._store.refuse(edit.op_id, refusal)
        self._refused(item)


def _refusal_of(problem: Exception) -> ApiError:
    """What went wrong with an edit, as the server would have said it; a defect of ours is logged."""
    if isinstance(problem, ApiError):
        return problem
    log.error("an edit could not be sent", exc_info=problem)
    return ApiError(FAILED, f"This could not be sent: {type(problem).__name__}: {problem}")


def _title_in(refusal: Refusal) -> str:
    task = refusal.conflict.task if refusal.conflict else refusal.gone
    return task.title if task else ""


def _again(edit: Edit, base_rev: int | None) -> Edit:
    """The same edit as a new operation."""
    if isinstance(edit, Update | Delete):
        return msgspec.structs.replace(edit, op_id=new_id(), base_rev=base_rev)
    return msgspec.structs.replace(edit, op_id=new_id())
