"""An answer that may be a moment old: asked once for all who wait, and anew beside those who have one."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_slurmdash.handlers import recent
from jupyter_slurmdash.handlers.recent import Recent


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(recent, "time", made)
    return made


class Question:
    """Answers with how often it was asked, when ``gate`` is open."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if number == 13:
            raise OSError("unlucky")
        return number


def test_one_question_for_all_who_wait(clock: Clock) -> None:
    async def main() -> None:
        question = Question()
        question.gate.clear()
        answers = Recent(question, 1.0)
        waiting = [asyncio.create_task(answers.get()) for _ in range(5)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # one that goes away takes it from nobody
        question.gate.set()
        assert await asyncio.gather(*waiting[1:]) == [1] * 4

    asyncio.run(main())


def test_who_asks_often_never_waits_and_who_asks_late_gets_a_new_one(clock: Clock) -> None:
    async def main() -> None:
        question = Question()
        answers = Recent(question, 1.0)
        assert await answers.get() == 1
        clock.now += 0.4
        assert (await answers.get(), question.asked) == (1, 1)
        clock.now += 0.5  # old enough to be asked beside
        question.gate.clear()
        assert await answers.get() == 1
        await asyncio.sleep(0)
        assert await answers.get() == 1
        assert question.asked == 2
        question.gate.set()
        while await answers.get() == 1:
            await asyncio.sleep(0)
        clock.now += 1.0
        assert await answers.get() == 3

    asyncio.run(main())


def test_an_error_is_told_and_not_kept(clock: Clock) -> None:
    async def main() -> None:
        question = Question()
        question.asked = 12
        answers = Recent(question, 1.0)
        with pytest.raises(OSError, match="unlucky"):
            await answers.get()
        assert await answers.get() == 14

    asyncio.run(main())
