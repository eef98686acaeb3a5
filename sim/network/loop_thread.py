"""An asyncio loop on a thread of its own, from `start` to `stop`; it leaves no task and no thread behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """`ending`: called on the thread when the loop has stopped, before its tasks are cancelled."""

    def __init__(self, name: str, ending: Callable[[], None] = lambda: None) -> None:
        self.loop = asyncio.new_event_loop()
        self._ending = ending
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """On the loop's thread: a task that ends with it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def do(self, work: Coroutine[Any, Any, T], deadline_s: float) -> T:
        """From another thread: what it comes to. Raises what it raises, TimeoutError."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(deadline_s)

    def stop(self) -> None:
        """Idempotent."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
        elif not self.loop.is_closed():
            self.loop.close()  # it never ran

    def _run(self) -> None:
        loop = self.loop
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda *_: None)  # the end of a connection is no news for a terminal
        loop.run_forever()
        self._ending()
        for task in self._tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())  # it looked host names up
        loop.close()
