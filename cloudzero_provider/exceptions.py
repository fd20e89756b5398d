"""
Everything that can go wrong, as one tree.

``CloudZeroError`` is the root. The core of the package knows no Airflow, so these classes don't either;
operators add Airflow's ``AirflowFailException`` to those that a retry can't help (see
:mod:`cloudzero_provider.airflow_support.errors`), so ``except AuthenticationError`` and Airflow's own rules both work.
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
    #: The class to become when pickled: one that adds Airflow's kind is not known by name.
    core_class: ClassVar[type[CloudZeroError] | None] = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        #: Whether the request that failed may have been applied, in one of its tries.
        self.maybe_applied = True
        #: Whether it is certain that nothing was written before the error, nor by the request that failed.
        self.nothing_written = False
        #: Which part of a month stands, when the error came in the middle of one.
        self.standing: str | None = None

    def __str__(self) -> str:
        if not self.standing:
            return self.message
        ended = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{ended} {self.standing}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.core_class or type(self), self.args, vars(self))


def _rebuilt(kind: type[CloudZeroError], args: tuple[Any, ...], state: dict[str, Any]) -> CloudZeroError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error


class ConfigurationError(CloudZeroError):
    """The connection, the API key or a parameter can't be used as it is."""


class MonthError(ConfigurationError):
    """No month was given, or what was given is no month."""


class InputError(CloudZeroError):
    """The rows or files that were given can't be sent. Nothing was sent."""


@dataclass(frozen=True)
class Problem:
    """One broken rule: where it is, what stands there, and what the rule says."""

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

    :param problems: the first few, in the order of the rows.
    :param total: how many were found.
    """

    def __init__(self, problems: Sequence[Problem], total: int) -> None:
        self.problems = tuple(problems)
        self.total = total
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        rest = total - len(self.problems)
        more = f"\n  and {rest:,} more" if rest else ""
        noun = "problem" if total == 1 else "problems"
        super().__init__(f"{total:,} {noun} in the rows; nothing was sent.{lines}{more}")


class MonthTooLargeError(InputError):
    """The rows are more than CloudZero takes for a month of one stream. Nothing was sent."""


class MonthWouldShrinkError(InputError):
    """The rows would replace a much larger month (see ``min_rows_ratio``). Nothing was sent."""


class MonthWouldGrowError(InputError):
    """The month would become much larger (see ``max_rows_ratio``). Nothing was sent."""


class ValidationFailedError(InputError):
    """CloudZero's own validation refuses the rows. Nothing was sent."""


class ReplacesSameRunError(CloudZeroError):
    """What is to be sent would replace what another task of the same DAG run sent. Nothing was sent."""


class ClaimError(CloudZeroError):
    """What other tasks of the DAG run write could not be looked up in Airflow. Nothing was sent."""

    retry_can_help = True


class CloudZeroConnectionError(CloudZeroError):
    """CloudZero could not be reached: the request was not sent."""

    retry_can_help = True


class ReplyError(CloudZeroError):
    """
    CloudZero answered, and the answer is an error.

    :param message: what happened.
    :param status: HTTP status of the answer, ``None`` when no answer came.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RateLimitError(ReplyError):
    """
    CloudZero asks to send less often, and kept asking until ``max_retry_seconds`` were over.

    :param retry_after: seconds CloudZero asked to wait, when it named any.
    """

    retry_can_help = True

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class ServiceUnavailableError(ReplyError):
    """CloudZero is busy or down, said so, and kept saying so until ``max_retry_seconds`` were over."""

    retry_can_help = True


class CloudZeroUnavailableError(ReplyError):
    """Requests got no clear answer until ``max_retry_seconds`` were over. They were repeatable: a retry heals."""

    retry_can_help = True


class AmbiguousWriteError(ReplyError):
    """A request that must not be repeated got no clear answer: it may or may not have been applied."""


class HourIncompleteError(ReplyError):
    """An hour that needs several requests could not be completed. Running the task again starts it over."""

    retry_can_help = True


class AuthenticationError(ReplyError):
    """CloudZero refuses the key: it is wrong, or it lacks the scope that the message names."""


class RequestRejectedError(ReplyError):
    """
    CloudZero refuses the request (4xx, or a redirect).

    :param error_type: CloudZero's own name of the error, like ``UnregisteredKeySetException``, when it gives one.
    :param event_details: what it adds to that.
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
    """CloudZero does not know what was asked for (404)."""


class MonthNotFoundError(NotFoundError):
    """The stream holds no billing drop for the month."""


class UnexpectedReplyError(ReplyError):
    """CloudZero answered with success, but not with what its documentation promises."""


class StreamInvalidError(CloudZeroError):
    """CloudZero says that a telemetry stream is ``Invalid``: a dimension it refers to is missing or broken."""


class VerificationError(CloudZeroError):
    """What CloudZero holds was not what had been sent, until the deadline of ``verify``."""

    retry_can_help = True
