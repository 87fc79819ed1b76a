"""Answers that many ask for again and again, and that may be a moment old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# From this part of its time on an answer is asked for anew, so that it comes before the old one is too old.
_SOON = 0.8


class Recent(Generic[T]):
    """What ``ask`` gave within the last ``seconds``; who asks often never waits, for it is asked anew beside them.

    Used in one event loop. What ``ask`` raises, those who wait for it get.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._asking: asyncio.Task[T] | None = None
        self._known: tuple[T, float] | None = None

    async def get(self) -> T:
        if self._known is not None:
            value, asked_at = self._known
            age = time.monotonic() - asked_at
            if age < self._seconds:
                if age > _SOON * self._seconds:
                    self._begin()
                return value
        # Another who waits, and goes away, must not take it from us.
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[T]:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_now())
        return self._asking

    async def _ask_now(self) -> T:
        asked_at = time.monotonic()
        try:
            value = await self._ask()
            self._known = value, asked_at
            return value
        except BaseException:
            self._known = None
            raise
        finally:
            self._asking = None
