from __future__ import annotations

import pickle

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from cloudzero_provider import exceptions
from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.exceptions import CloudZeroError, InvalidRowsError, Problem, RateLimitError

KINDS = [
    kind
    for kind in vars(exceptions).values()
    if isinstance(kind, type) and issubclass(kind, CloudZeroError) and kind is not InvalidRowsError
]
RETRIED = {
    "MissingFileError",
    "CloudZeroConnectionError",
    "RateLimitError",
    "ServiceUnavailableError",
    "CloudZeroUnavailableError",
    "HourIncompleteError",
    "VerificationError",
    "ClaimError",
    "BucketUnavailableError",
    "ManifestChangedError",
    "DropIncompleteError",
}


def in_airflow(error):
    with pytest.raises(CloudZeroError) as caught, airflow_failures():
        raise error
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_stays_what_it_is_and_becomes_airflows_kind_too(kind):
    error = in_airflow(kind("what"))
    assert isinstance(error, kind)
    assert isinstance(error, AirflowException)
    assert isinstance(error, AirflowFailException) is (kind.__name__ not in RETRIED)
    assert (type(error).__name__, type(error).__module__) == (kind.__name__, kind.__module__)
    # A missing file's message is made of its name.
    assert str(error) == str(kind("what"))
    assert str(error).startswith("what")


def test_what_an_error_knows_is_kept():
    error = RateLimitError("what", 429, retry_after=7)
    error.recovery = "Nothing stands."
    raised = in_airflow(error)
    assert (str(raised), raised.status, raised.retry_after) == ("what. Nothing stands.", 429, 7)
    assert raised.__traceback__ is not None


def test_an_error_that_has_airflows_kind_already_is_not_mixed_twice():
    once = in_airflow(RateLimitError("what"))
    assert in_airflow(once) is once


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), airflow_failures():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "error",
    [
        *(kind("what") for kind in KINDS),
        InvalidRowsError([Problem("row 1", "c", "1", "no")], 7),
        RateLimitError("w", 429, 5),
    ],
)
def test_errors_survive_pickling_with_and_without_airflows_kind(error):
    error.recovery = "Nothing stands."
    for one in (error, in_airflow(error)):
        copy = pickle.loads(pickle.dumps(one))
        assert type(copy) is type(error)
        assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_the_server_s_words_and_ours_are_kept_apart():
    for message in ("It said no", "It said no."):
        error = CloudZeroError(message)
        error.recovery = "Nothing stands."
        assert str(error) == "It said no. Nothing stands."


@pytest.mark.parametrize(
    "kind",
    [
        exceptions.MonthWouldShrinkError,
        exceptions.MonthWouldGrowError,
        exceptions.CostWouldChangeError,
        exceptions.MissingDaysError,
        exceptions.PlanDiffersError,
    ],
)
def test_a_failure_callback_can_name_all_guards_at_once(kind):
    error = in_airflow(kind("Refused"))
    assert isinstance(error, exceptions.GuardError)
    assert isinstance(error, exceptions.InputError)
    assert type(pickle.loads(pickle.dumps(error))) is kind
