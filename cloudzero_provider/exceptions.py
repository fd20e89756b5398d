"""
The exceptions of this package. A retry can help those with an asterisk::

    CloudZeroError
        ConfigurationError
            MonthError
        InputError
            MissingFileError *
            TransformError
            InvalidRowsError
            MonthTooLargeError
            GuardError
                MonthWouldShrinkError
                MonthWouldGrowError
                CostWouldChangeError
                MissingDaysError
                PlanDiffersError
            ValidationFailedError
        ReplacesSameRunError
        ClaimError *
        CloudZeroConnectionError *
        ReplyError
            RateLimitError *
            ServiceUnavailableError *
            CloudZeroUnavailableError *
            AmbiguousWriteError
            HourIncompleteError *
            AuthenticationError
            RequestRejectedError
                PayloadTooLargeError
                NotFoundError
                    MonthNotFoundError
            UnexpectedReplyError
        StreamInvalidError
        VerificationError *
        BucketError
            BucketUnavailableError *
            ManifestError
            ManifestChangedError *
            DropIncompleteError *
            DropNotFoundError

This module does not import Airflow. The operators add Airflow's ``AirflowFailException`` to those that a retry can't
help (:mod:`cloudzero_provider.airflow_support.errors`), so ``except AuthenticationError`` works there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_PROBLEMS = 5
#: How to recover from a write that may or may not have been applied.
CHECK_THEN_CLEAR = "Check what CloudZero holds, correct it if needed, then clear the task to send everything again."


class CloudZeroError(Exception):
    """
    Root of all errors of this package.

    :param message: what happened, and what to do.
    """

    #: Whether running the same task again, with nothing changed, can succeed.
    retry_can_help = False
    #: The class to unpickle as: subclasses that add an Airflow exception can't be imported by name.
    core_class: ClassVar[type[CloudZeroError] | None] = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        #: Whether the request that failed may have been applied, even if it was sent several times.
        self.maybe_applied = True
        #: Whether it is certain that nothing was written, neither before the error nor by the failed request.
        self.nothing_written = False
        #: What was applied before the error, and how to recover.
        self.recovery: str | None = None

    def __str__(self) -> str:
        if not self.recovery:
            return self.message
        ended = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{ended} {self.recovery}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.core_class or type(self), self.args, vars(self))


def _rebuilt(kind: type[CloudZeroError], args: tuple[Any, ...], state: dict[str, Any]) -> CloudZeroError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error


class ConfigurationError(CloudZeroError):
    """The connection, the API key or a parameter is not valid."""


class MonthError(ConfigurationError):
    """No month was given, or the given value is not a valid month."""


class InputError(CloudZeroError):
    """The rows or files that were given can't be sent. Nothing was sent."""


class MissingFileError(InputError):
    """
    A file does not exist, or no file matches a pattern: it may not have been written yet. Nothing was sent.

    :param name: the path, URI or pattern.
    :param what: what is wrong with it.
    """

    retry_can_help = True

    def __init__(self, name: str, what: str = "there is no such file") -> None:
        #: The path, URI or pattern.
        self.name = name
        #: What is wrong, without what to do about it in a task.
        self.problem = f"{name}: {what}"
        super().__init__(
            f"{self.problem}, so nothing was sent. If it has not been written yet, put a sensor for it before this "
            "task, or set retries."
        )

    @property
    def is_local(self) -> bool:
        """Whether the file would be on this machine."""
        return "://" not in self.name or self.name.startswith("file://")

    def add_sentence(self, sentence: str) -> None:
        """Add a sentence to the message."""
        self.message = f"{self.message} {sentence}"
        self.args = (self.message,)


class TransformError(InputError):
    """A user's ``transform`` raised an error, which is the ``__cause__``. Nothing was sent."""


@dataclass(frozen=True)
class Problem:
    """One broken rule: its row, column and value, and what the rule says."""

    where: str
    column: str | None
    value: str | None
    rule: str

    def __str__(self) -> str:
        what = [self.where]
        if self.column is not None:
            what.append(f"column {self.column!r}")
        if self.value is not None:
            what.append(f"value {self.value}")
        return f"{', '.join(what)}: {self.rule}"


class InvalidRowsError(InputError):
    """
    Rows break rules of the format they are sent in. Nothing was sent.

    :param problems: the first few, or all of them, in the order of the rows. The message lists the first few.
    :param total: how many were found.
    """

    def __init__(self, problems: Sequence[Problem], total: int) -> None:
        self.problems = tuple(problems)
        self.total = total
        listed = self.problems[:SHOWN_PROBLEMS]
        lines = "".join(f"\n  {problem}" for problem in listed)
        rest = total - len(listed)
        more = f"\n  and {rest:,} more" if rest else ""
        noun = "problem" if total == 1 else "problems"
        super().__init__(f"{total:,} {noun} in the rows; nothing was sent.{lines}{more}")
        #: The file that lists every problem (see ``problems_file``), if it was written.
        self.problems_file: str | None = None

    def add_line(self, line: str) -> None:
        """Add a line to the message."""
        self.message = f"{self.message}\n{line}"
        self.args = (self.message,)


class MonthTooLargeError(InputError):
    """The rows exceed what CloudZero accepts for a month of one stream. Nothing was sent."""


class GuardError(InputError):
    """A guard refuses the rows, which are valid, because of what the month would become. Nothing was sent."""


class MonthWouldShrinkError(GuardError):
    """The rows would replace a much larger month (see ``min_rows_ratio``). Nothing was sent."""


class MonthWouldGrowError(GuardError):
    """The month would become much larger (see ``max_rows_ratio``). Nothing was sent."""


class CostWouldChangeError(GuardError):
    """The cost of the month would change by more than ``max_cost_change``. Nothing was sent."""


class MissingDaysError(GuardError):
    """Days of the month have no rows (see ``required_days``). Nothing was sent."""


class PlanDiffersError(GuardError):
    """The rows, or what CloudZero holds, are no longer those of the plan (see ``plan``). Nothing was sent."""


class ValidationFailedError(InputError):
    """CloudZero's own validation refuses the rows. Nothing was sent."""


class ReplacesSameRunError(CloudZeroError):
    """The rows or records would replace those of another task of the same DAG run. Nothing was sent."""


class ClaimError(CloudZeroError):
    """The claims of other tasks of the DAG run could not be stored in or read from Airflow. Nothing was sent."""

    retry_can_help = True


class CloudZeroConnectionError(CloudZeroError):
    """CloudZero could not be reached: the request was not sent."""

    retry_can_help = True


class ReplyError(CloudZeroError):
    """
    CloudZero replied with an error, or did not reply clearly.

    :param message: what happened.
    :param status: HTTP status of the reply; ``None`` when none came.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RateLimitError(ReplyError):
    """
    CloudZero limited the request rate until ``max_retry_seconds`` had passed.

    :param retry_after: seconds that CloudZero asked to wait, if it did.
    """

    retry_can_help = True

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class ServiceUnavailableError(ReplyError):
    """CloudZero reported that it was busy or down until ``max_retry_seconds`` had passed."""

    retry_can_help = True


class CloudZeroUnavailableError(ReplyError):
    """Repeatable requests got no clear reply until ``max_retry_seconds`` had passed."""

    retry_can_help = True


class AmbiguousWriteError(ReplyError):
    """A request that must not be repeated got no clear reply: it may or may not have been applied."""


class HourIncompleteError(ReplyError):
    """An hour that needs several requests could not be completed. Running the task again starts it over."""

    retry_can_help = True


class AuthenticationError(ReplyError):
    """CloudZero refuses the key: it is wrong, or it lacks the scope that the message names."""


class RequestRejectedError(ReplyError):
    """
    CloudZero refuses the request (4xx, or a redirect).

    :param error_type: CloudZero's name for the error, like ``UnregisteredKeySetException``, if the reply has one.
    :param event_details: details from the same reply.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        error_type: str | None = None,
        event_details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, status)
        self.error_type = error_type
        self.event_details = event_details or {}


class PayloadTooLargeError(RequestRejectedError):
    """CloudZero says that a body is too large (413)."""


class NotFoundError(RequestRejectedError):
    """CloudZero does not have what was requested (404)."""


class MonthNotFoundError(NotFoundError):
    """The stream holds no billing drop for the month."""


class UnexpectedReplyError(ReplyError):
    """CloudZero replied with success, but the reply is not what its documentation describes."""


class StreamInvalidError(CloudZeroError):
    """CloudZero says that a telemetry stream is ``Invalid``: a dimension it refers to is missing or broken."""


class VerificationError(CloudZeroError):
    """CloudZero did not hold what was sent before the deadline of ``verify``."""

    retry_can_help = True


class BucketError(CloudZeroError):
    """The bucket of an AnyCost Bucket connection can't be used, for example because a permission is missing."""


class BucketUnavailableError(BucketError):
    """The storage did not do what it was asked for, for example in an outage, or since a token has expired."""

    retry_can_help = True


class ManifestError(BucketError):
    """The object in the manifest's place is not the manifest of an AnyCost Bucket. Nothing was written."""


class ManifestChangedError(BucketError):
    """Another writer changed the manifest while a drop was written. The month is as that writer made it."""

    retry_can_help = True


class DropIncompleteError(BucketError):
    """A drop does not hold what was written, so the manifest does not name it."""

    retry_can_help = True


class DropNotFoundError(BucketError):
    """The bucket has no such drop."""
