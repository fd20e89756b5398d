"""Which tasks can write one stream at the same time, by pools, slots and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudzero_provider.cli.stream_writers import Stream, StreamKind, Writer, compare_writers

ONE = {"default_pool": 128, "one": 1, "four": 4, "unlimited": -1}


def stream(name: str = "acme", *, conn_id: str = "a", url: str | None = "https://api", kind=StreamKind.ANYCOST):
    return Stream(kind, name, conn_id, url, name)


def metric(**options):
    return stream("metric orders", kind=StreamKind.TELEMETRY, **options)


def writer(task_id: str, *streams: Stream, pool: str = "default_pool", unknown=(), **options) -> Writer:
    fields = {"pool_slots": 1, "one_at_a_time": True} | options
    kind = streams[0].kind if streams else StreamKind.ANYCOST
    return Writer("dags/a.py", "dag", task_id, pool, kind=kind, streams=streams, unknown=unknown, **fields)


def found(*writers, pools=ONE):
    """The streams of conflicts, and those where it is unknown, with the tasks of each."""
    findings = compare_writers(writers, pools)
    return [
        [(each.stream and each.stream.name, [one.task_id for one in each.writers]) for each in some]
        for some in (findings.conflicts, findings.unknown)
    ]


class TestOneStream:
    def test_one_task_alone_is_fine(self):
        assert found(writer("a", stream())) == [[], []]

    def test_two_tasks_in_the_default_pool_are_not(self):
        assert found(writer("a", stream()), writer("b", stream())) == [[("acme", ["a", "b"])], []]

    def test_nor_when_the_default_pool_is_not_known(self):
        assert found(writer("a", stream()), writer("b", stream()), pools={}) == [[("acme", ["a", "b"])], []]

    def test_two_tasks_in_a_pool_of_one_slot_are(self):
        assert found(writer("a", stream(), pool="one"), writer("b", stream(), pool="one")) == [[], []]

    @pytest.mark.parametrize("pool", ["four", "unlimited"])
    def test_a_pool_of_more_slots_is_no_help(self, pool):
        found_here = found(writer("a", stream(), pool=pool), writer("b", stream(), pool=pool))
        assert found_here == [[("acme", ["a", "b"])], []]

    def test_two_pools_of_one_slot_are_no_help(self):
        pools = ONE | {"other": 1}
        two = writer("a", stream(), pool="one"), writer("b", stream(), pool="other")
        assert found(*two, pools=pools) == [[("acme", ["a", "b"])], []]

    def test_a_task_in_another_pool_is_named_with_all_others(self):
        tasks = [writer(name, stream(), pool="one") for name in "ab"]
        assert found(*tasks, writer("c", stream())) == [[("acme", ["a", "b", "c"])], []]

    @pytest.mark.parametrize(("slots", "fits"), [((2, 2), True), ((2, 3), False), ((3, 3), False), ((1, 4, 4), False)])
    def test_tasks_that_take_more_slots(self, slots, fits):
        tasks = [writer(str(index), stream(), pool="four", pool_slots=number) for index, number in enumerate(slots)]
        assert bool(found(*tasks)[0]) is fits

    def test_a_pool_that_is_not_known_here(self):
        assert found(writer("a", stream(), pool="new"), writer("b", stream(), pool="new")) == [
            [],
            [("acme", ["a", "b"])],
        ]


class TestInstancesOfOneTask:
    def test_without_the_limit_they_run_at_once(self):
        assert found(writer("a", stream(), one_at_a_time=False)) == [[("acme", ["a"])], []]

    def test_a_pool_of_one_slot_is_as_good_as_the_limit(self):
        assert found(writer("a", stream(), one_at_a_time=False, pool="one")) == [[], []]

    def test_the_limit_does_not_count_for_two_tasks(self):
        two = [writer(name, stream(), pool="four", pool_slots=4, one_at_a_time=False) for name in "ab"]
        assert found(*two) == [[], []]
        two[1] = replace(two[1], pool_slots=1)
        assert found(*two) == [[("acme", ["a", "b"])], []]


class TestWhichStream:
    def test_other_streams_do_not_matter(self):
        assert found(writer("a", stream()), writer("b", stream("other"))) == [[], []]

    def test_nor_does_the_connection_of_an_anycost_stream(self):
        assert found(writer("a", stream()), writer("b", stream(conn_id="b")))[0] == [("acme", ["a", "b"])]

    def test_another_cloudzero_does(self):
        assert found(writer("a", stream()), writer("b", stream(url="http://sandbox"))) == [[], []]

    def test_a_connection_that_is_not_known_may_lead_to_each(self):
        three = writer("a", stream()), writer("b", stream(url="http://sandbox")), writer("c", stream(url=None))
        assert found(*three)[0] == [("acme", ["b", "c"]), ("acme", ["a", "c"])]

    def test_one_task_may_write_several(self):
        tasks = writer("a", stream(), stream("b")), writer("b", stream("b"), stream("c")), writer("c", stream("c"))
        assert found(*tasks)[0] == [("b", ["a", "b"]), ("c", ["b", "c"])]

    def test_a_metric_of_one_connection(self):
        assert found(writer("a", metric()), writer("b", metric()))[0] == [("metric orders", ["a", "b"])]

    def test_a_metric_of_two_connections_may_be_the_same(self):
        two = writer("a", metric()), writer("b", metric(conn_id="b"))
        assert found(*two) == [[], [("metric orders", ["a", "b"])]]
        assert found(*[replace(each, pool="one") for each in two]) == [[], []]

    def test_a_metric_of_another_cloudzero_is_not(self):
        assert found(writer("a", metric()), writer("b", metric(conn_id="b", url="http://sandbox"))) == [[], []]

    def test_a_metric_is_no_anycost_stream(self):
        named = stream("acme", kind=StreamKind.TELEMETRY)
        assert found(writer("a", stream()), writer("b", named)) == [[], []]


class TestUnknownStreams:
    def test_alone_it_is_fine(self):
        assert found(writer("a", unknown=("a template",))) == [[], []]

    def test_alone_without_the_limit_it_is_unknown(self):
        assert found(writer("a", unknown=("a template",), one_at_a_time=False)) == [[], [(None, ["a"])]]

    def test_beside_another_it_is_unknown(self):
        assert found(writer("a", unknown=("a template",)), writer("b", stream())) == [[], [(None, ["a"])]]

    def test_telemetry_is_not_beside_it(self):
        assert found(writer("a", unknown=("a template",)), writer("b", metric())) == [[], []]

    def test_in_one_pool_with_all_others_it_is_fine(self):
        two = writer("a", unknown=("a template",), pool="one"), writer("b", stream(), pool="one")
        assert found(*two) == [[], []]
        assert found(*two, pools={}) == [[], [(None, ["a", "b"])]]

    def test_it_says_why_and_what_to_do(self):
        [finding] = compare_writers([writer("a", unknown=("x", "y")), writer("b", stream())], ONE).unknown
        assert finding.why == "x; y"
        assert "in partial()" in finding.fix


def test_what_to_do_names_the_pool():
    [finding] = compare_writers([writer("a", stream()), writer("b", stream(), pool="one")], ONE).conflicts
    assert finding.why == "2 tasks in 2 pools: default_pool, one"
    assert finding.fix == 'set pool="cloudzero_acme" on each; to create it: cloudzero-provider create-pools acme'


def fixes(*writers):
    return [finding.fix.partition(";")[0] for finding in compare_writers(writers, ONE).conflicts]


def test_streams_that_one_task_writes_get_one_pool():
    both = writer("a", stream("x"), stream("y"))
    of_x, of_y = writer("b", stream("x")), writer("c", stream("y"))
    assert fixes(both, of_x, of_y) == ['set pool="cloudzero_x" on each'] * 2
    alone = writer("a", stream("x"), stream("y"), one_at_a_time=False)
    assert fixes(alone) == ['set pool="cloudzero_x" on the task'] * 2


def test_a_pool_that_a_task_of_several_streams_has_is_kept():
    lane = writer("a", stream("x"), stream("y"), pool="one")
    assert fixes(lane, writer("b", stream("y"))) == ['set pool="one" on each']


def test_a_pool_that_is_missing_is_created_by_its_name():
    two = [writer(name, stream(), pool="cloudzero_acme") for name in "ab"]
    [finding] = compare_writers(two, {}).unknown
    assert finding.why == "2 tasks in pool cloudzero_acme, whose slots are not known here"
    assert finding.fix == "create it, if it is missing: cloudzero-provider create-pools acme"


def test_ten_thousand_streams_are_compared_at_once():
    many = tuple(stream(f"s{number}") for number in range(10_000))
    findings = compare_writers([writer("a", *many), writer("b", *many)], ONE)
    assert len(findings.conflicts) == 10_000
