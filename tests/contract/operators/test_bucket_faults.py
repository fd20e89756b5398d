"""
A task that writes to S3 and dies, or whose requests are lost, refused or damaged.

After every fault, CloudZero takes the month as it was or as it is to be, and the retry makes it what it is to be.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter

import pytest
from support.bucket_drops import current_drop
from support.proxied_month import ProxiedMonth, proxied
from support.s3_proxy import CORRUPTED, LOST_AFTER, LOST_BEFORE, SLOW, TRUNCATED, Fault
from support.tasks import context, start_worker, write_drop

from cloudzero_provider.exceptions import BucketError
from cloudzero_provider.operators.bucket import AnyCostBucketListOperator

#: The requests of a task that replaces a month and removes a drop, in order.
REQUESTS = [
    "get manifest",
    "get description",
    "put description",
    *["put file", "head file", "get file"] * 2,
    "list",
    "put manifest",
    "list",
    *["get description"] * 2,
    "put mark",
    "get description",
    *["delete"] * 4,
]
KINDS = list(dict.fromkeys(REQUESTS))
READ = [kind for kind in KINDS if kind.startswith("get") or kind == "list"]
FAULTS = [LOST_BEFORE, LOST_AFTER, "500", "503", "403"]


@pytest.fixture(scope="module")
def proxy(s3):
    with proxied(s3) as proxy:
        yield proxy


@pytest.fixture
def month(s3, proxy, tmp_path):
    return ProxiedMonth(s3, proxy, f"anycost/{tmp_path.name}")


def test_the_requests_of_a_task(month, proxy):
    """What the other tests interrupt."""
    proxy.reset()
    month.write()
    assert proxy.kinds() == REQUESTS


def attempts(month, *faults):
    """Run an attempt with faults; return its error, if it had one, after the retry."""
    month.proxy.reset(*faults)
    error = None
    try:
        write_drop(**month.next_task())
    except Exception as raised:
        error = raised
    assert month.proxy.hit, "the fault did not happen"
    if error:
        month.retry()
    else:
        month.number += 1
        assert month.held() == month.number
    return error


def test_slow_replies(month):
    assert attempts(month, *[Fault(SLOW, kind, times=1000) for kind in KINDS]) is None


@pytest.mark.parametrize("kind", KINDS)
class TestFaults:
    def test_once(self, month, kind):
        # Whether a request that changes nothing or its reply is lost is the same.
        for what in [*FAULTS[1:], TRUNCATED, CORRUPTED] if kind in READ else FAULTS:
            error = attempts(month, Fault(what, kind))
            assert error is None or what not in (LOST_BEFORE, LOST_AFTER), (what, error)

    @pytest.mark.long
    def test_always(self, month, kind):
        for what in [*FAULTS, *[TRUNCATED, CORRUPTED] * (kind in READ)]:
            attempts(month, Fault(what, kind, times=1000))

    @pytest.mark.long
    def test_later(self, month, kind):
        """The second and later requests of a kind are lost."""
        for what in (LOST_BEFORE, LOST_AFTER):
            if REQUESTS.count(kind) > 1:
                attempts(month, Fault(what, kind, times=1000, skip=1))


def test_rights_to_list_the_folder_alone(month, proxy):
    """Of an object that is not there, S3 then says that it is denied; and it denies what is asked of the folder."""
    path = month.arguments["bucket_path"]
    proxy.reset(Fault("403", "get manifest"), Fault("403", "head mark", times=1000))
    assert write_drop(bucket_path=path, month="2026-05", records=[], on_empty="clear")["previous_drop_id"] is None
    assert "head mark" not in proxy.kinds()
    listed = AnyCostBucketListOperator(task_id="list", bucket_path=path, month="2026-04")
    proxy.reset(Fault("403", "get manifest"), Fault("403", "head mark", times=1000))
    assert listed.execute(context(listed))["drops"] == []
    assert "head mark" not in proxy.kinds()


def test_a_manifest_that_may_not_be_read(month, proxy):
    proxy.reset(Fault("403", "get manifest", times=1000))
    with pytest.raises(BucketError, match=r"manifest.json can't be read: the storage denies it"):
        write_drop(**month.next_task())
    assert month.held() == month.number


def test_a_switch_that_arrives_after_the_retry_is_refused(month, proxy):
    arrived, go_on = threading.Event(), threading.Event()

    def before(request):
        if request.kind == "put manifest" and not arrived.is_set():
            arrived.set()
            go_on.wait(60)

    proxy.reset()
    proxy.before = before
    worker = start_worker("write_drop", **month.next_task())
    assert arrived.wait(60)
    worker.kill()
    worker.wait(60)
    retry = month.write(try_number=2)
    go_on.set()
    proxy.wait_until_idle()
    assert proxy.passed.count("put manifest") == 2
    assert (month.held(), current_drop(month.reader.files())) == (month.number, retry["drop_id"])
    assert not retry["unchanged"]


class TestKills:
    def kill(self, month, draw):
        """Kill a task at a random moment; return where that was."""
        place = draw.randrange(len(REQUESTS))
        how = draw.choice(["in flight", "lost", "reply lost", "between"])
        delay = draw.uniform(0, 0.02)
        started, pid = threading.Event(), []

        def kill():
            started.wait()
            os.kill(pid[0], signal.SIGKILL)

        def before(request):
            if request.number == place and how in ("in flight", "lost"):
                kill()
            return not (request.number == place and how == "lost")

        def after(request):
            if request.number == place and how == "reply lost":
                kill()
            elif request.number == place and how == "between":
                threading.Timer(delay, kill).start()

        month.proxy.reset()
        month.proxy.before, month.proxy.after = before, after
        worker = start_worker("write_drop", **month.next_task())
        pid.append(worker.pid)
        started.set()
        code = worker.wait(60)
        assert code in (-signal.SIGKILL, 0)
        month.proxy.wait_until_idle()
        switched = "put manifest" in month.proxy.passed
        assert month.held() == month.number + switched
        month.retry()
        return f"{REQUESTS[place]}, {how}" if code else "survived"

    def test_some(self, month):
        draw = random.Random(7)
        places = Counter(self.kill(month, draw) for _ in range(12))
        assert places["survived"] < 6

    @pytest.mark.long
    @pytest.mark.parametrize("seed", range(4))
    def test_a_hundred(self, month, seed):
        draw = random.Random(seed)
        places = Counter(self.kill(month, draw) for _ in range(25))
        print(places)
        assert places["survived"] < 10
