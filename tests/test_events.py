"""Events inside one process: who hears what, and what a reconnect finds."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_slurmdash.events import CHANNELS, Event, EventBus


def test_a_message_is_flat_and_its_own_members_win() -> None:
    event = Event(3, "jobs", "job_update", {"job": {"id": 1}, "type": "mine"}, 5.0)
    assert event.to_json() == {
        "job": {"id": 1},
        "type": "job_update",
        "channel": "jobs",
        "event_id": 3,
        "time": 5.0,
    }


def test_listeners_hear_until_they_leave() -> None:
    bus, heard = EventBus(), []
    leave = bus.subscribe(heard.append)
    first = bus.publish("jobs", "a", {}, durable=True)
    leave()
    leave()
    bus.publish("jobs", "b", {})
    assert heard == [first]
    assert first.durable


def test_a_listener_may_leave_while_it_hears() -> None:
    bus, heard = EventBus(), []
    leave = bus.subscribe(lambda event: (heard.append(event.type), leave())[0])
    bus.subscribe(lambda event: heard.append("second"))
    bus.publish("jobs", "a", {})
    bus.publish("jobs", "b", {})
    assert heard == ["a", "second", "second"]


def test_ids_rise_over_a_restart_and_times_are_the_clocks() -> None:
    before = EventBus(clock=lambda: 1000.0)
    old = [before.publish("jobs", "a", {}) for _ in range(3)][-1]
    after = EventBus(clock=lambda: 1001.0)
    assert after.since(old.id) is None, "the browser loads all anew"
    new = after.publish("jobs", "a", {})
    assert (new.id > old.id, new.time) == (True, 1001.0)
    assert after.since(old.id) is None


def test_a_new_process_has_nothing_to_replay() -> None:
    bus = EventBus(clock=lambda: 1.0)
    assert bus.since(0) is None
    assert bus.since(1000) == []


@given(
    history=st.integers(1, 8),
    channels=st.lists(st.sampled_from(CHANNELS), max_size=20),
    seen=st.integers(0, 20),
    wanted=st.sets(st.sampled_from(CHANNELS)),
)
def test_a_replay_is_complete_or_says_so(
    history: int, channels: list[Any], seen: int, wanted: set[str]
) -> None:
    bus = EventBus(history)
    events = [bus.publish(channel, "x", {}) for channel in channels]
    seen = min(seen, len(events))
    last_id = events[seen - 1].id if seen else bus._first - 1
    missed = bus.since(last_id, wanted)
    if len(events) - seen <= history:
        assert missed == [event for event in events[seen:] if event.channel in wanted]
    else:
        assert missed is None


def test_many_publishers_lose_nothing() -> None:
    bus, heard = EventBus(history=10_000), []
    bus.subscribe(heard.append)
    threads = [
        threading.Thread(target=lambda: [bus.publish("jobs", "x", {}) for _ in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({event.id for event in heard}) == 800
    kept = bus.since(bus._first - 1) or []
    assert [event.id for event in kept] == sorted(event.id for event in heard)
