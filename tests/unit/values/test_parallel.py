from __future__ import annotations

import threading

import pytest

from cloudzero_provider.values.parallel import for_columns, in_parallel


def test_results_are_in_the_order_of_the_items():
    first_may_end = threading.Event()

    def double(number):
        # The second ends before the first.
        assert first_may_end.wait(10) if number == 1 else not first_may_end.set()
        return 2 * number

    assert list(in_parallel(double, [1, 2, 3])) == [2, 4, 6]
    assert list(in_parallel(double, [])) == []


def test_no_more_than_two_items_are_taken_ahead():
    taken = []
    results = in_parallel(lambda number: number, (taken.append(number) or number for number in range(9)))
    assert (next(results), len(taken)) == (0, 2)
    assert (next(results), len(taken)) == (1, 3)


def test_an_error_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_parallel(lambda number: 1 // number, [1, 0, 2]))


@pytest.mark.parametrize(("rows", "threads"), [(0, 1), (9_999, 1), (10_000, 3)])
def test_columns_are_handed_to_threads_if_they_are_long(rows, threads):
    both = threading.Barrier(2 if threads > 1 else 1)

    def thread(_):
        both.wait(10)
        return threading.get_ident()

    assert len({threading.get_ident(), *for_columns(thread, ["a", "b"], rows)}) == threads
