import asyncio
import gc
import threading
import weakref

from ghostos.core.message import Delta
from ghostos.runtime.thread_log import ThreadLog, TurnEnded, TurnStarted


def delta(seq: int, content: str = "x") -> Delta:
    return Delta(seq=seq, type="text", role="assistant", content=content)


def take(cursor, count):
    items = cursor.items()
    return [next(items) for _ in range(count)]


def test_a_listener_hears_what_is_said_after_it_began():
    log = ThreadLog()
    log.append(delta(1))
    cursor = log.listen()
    log.append(delta(2))
    assert take(cursor, 1) == [delta(2)]


def test_a_listener_to_the_turn_hears_it_from_its_beginning():
    log = ThreadLog()
    log.append(delta(1))
    log.begin_turn("e1")
    log.append(delta(2))
    cursor = log.listen_to_turn()
    assert take(cursor, 2) == [TurnStarted("e1"), delta(2)]


def test_beginning_the_running_turn_again_says_nothing():
    log = ThreadLog()
    cursor = log.listen()
    log.begin_turn("e1")
    log.begin_turn("e1")
    log.end_turn()
    log.end_turn()
    log.append(delta(3))
    assert take(cursor, 3) == [TurnStarted("e1"), TurnEnded("e1"), delta(3)]


def test_a_blocked_listener_is_woken_from_another_thread():
    log = ThreadLog()
    heard = []
    cursor = log.listen()
    listener = threading.Thread(target=lambda: heard.extend(take(cursor, 1000)))
    listener.start()
    for seq in range(1000):
        log.append(delta(seq))
    listener.join(10)
    assert [item.seq for item in heard] == list(range(1000))


async def test_an_asynchronous_listener_is_woken_from_another_thread():
    log = ThreadLog()
    cursor = log.listen()

    async def hear():
        items = cursor.aitems()
        return [await anext(items) for _ in range(1000)]

    listening = asyncio.create_task(hear())
    await asyncio.sleep(0)
    speaker = threading.Thread(target=lambda: [log.append(delta(seq)) for seq in range(1000)])
    speaker.start()
    heard = await asyncio.wait_for(listening, 10)
    speaker.join()
    assert heard == [delta(seq) for seq in range(1000)]


def test_what_every_listener_has_passed_is_garbage():
    class Said(str):
        __slots__ = ("__weakref__",)

    log = ThreadLog()
    cursor = log.listen()
    said = Said("long ago")
    watch = weakref.ref(said)
    log.append(delta(1, said))
    log.append(delta(2))
    del said
    take(cursor, 2)
    gc.collect()
    assert watch() is None


def test_who_listens_is_known_until_they_close_or_are_gone():
    log = ThreadLog()
    assert not log.has_listeners
    first, second = log.listen(), log.listen_to_turn()
    first.close()
    first.close()
    assert log.has_listeners
    del second
    gc.collect()
    assert not log.has_listeners


def test_the_event_of_the_running_turn_is_known():
    log = ThreadLog()
    assert log.turn_event_id is None
    log.begin_turn("e1")
    assert log.turn_event_id == "e1"
    log.end_turn()
    assert log.turn_event_id is None
