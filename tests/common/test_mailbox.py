"""A queue whose reader waits no longer than it says, however the threads fall."""

from __future__ import annotations

import threading
import time

from txfuzz.common.mailbox import Mailbox


def test_what_is_put_comes_out_in_order_and_nothing_is_none() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.empty()
    assert box.get(timeout=0.001) is None
    box.put(1)
    box.put(2)
    assert not box.empty()
    assert [box.get(timeout=1.0), box.get(timeout=1.0), box.get(timeout=0.0)] == [1, 2, None]


def test_short_waits_end_while_others_put() -> None:
    box: Mailbox[int] = Mailbox()

    def put() -> None:
        for number in range(2000):
            box.put(number)
            if number % 50 == 0:
                time.sleep(1e-4)

    writers = [threading.Thread(target=put) for _ in range(4)]
    for each in writers:
        each.start()
    taken = 0
    until = time.monotonic() + 30.0
    while taken < 8000 and time.monotonic() < until:
        taken += box.get(timeout=1e-5) is not None
    for each in writers:
        each.join()
    assert taken == 8000
    assert box.empty()
