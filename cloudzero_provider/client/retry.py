"""Decide whether and when a request is sent again, and raise the error if it never succeeds."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, BinaryIO

from cloudzero_provider.client.config import LONGEST_SECONDS
from cloudzero_provider.client.error_text import error_kind, error_text, fit_for_logs
from cloudzero_provider.client.outcome import Action, Effect, Outcome, action_for, certainly_not_applied, outcome_of
from cloudzero_provider.client.transport import NoReply, Reply, Transport
from cloudzero_provider.exceptions import (
    AmbiguousWriteError,
    AuthenticationError,
    CloudZeroConnectionError,
    CloudZeroError,
    CloudZeroUnavailableError,
    ConfigurationError,
    NotFoundError,
    PayloadTooLargeError,
    RateLimitError,
    ReplyError,
    RequestRejectedError,
    ServiceUnavailableError,
)
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from cloudzero_provider.client.config import ClientConfig

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
_CHECK_ADDRESS = "Are the connection's host and port right?"

#: The error of each outcome that is repeated until ``max_retry_seconds`` have passed.
_GAVE_UP: dict[Outcome, type[CloudZeroError]] = {
    Outcome.NOT_SENT: CloudZeroConnectionError,
    Outcome.THROTTLED: RateLimitError,
    Outcome.UNAVAILABLE: ServiceUnavailableError,
    Outcome.BUSY: ServiceUnavailableError,
    Outcome.UNCLEAR: CloudZeroUnavailableError,
}


@dataclass(frozen=True)
class _Told:
    """
    What became of a request, for errors and log lines: what decides comes first, since logs are cut at the right.

    :param result: the reply, or why there is none.
    :param request: method and path.
    """

    result: str
    request: str

    def __str__(self) -> str:
        return f"{self.result.rstrip('.')} ({self.request})"


class Sender:
    """
    Sends a request until its outcome is known, or for ``max_retry_seconds``.

    :param config: limits on time, and the key (to keep it out of errors).
    :param transport: sends single requests.
    """

    def __init__(self, config: ClientConfig, transport: Transport) -> None:
        self._config = config
        self._transport = transport

    def send(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        body: bytes | None = None,
        effect: Effect = Effect.REPEATABLE,
        save_to: BinaryIO | None = None,
        writes: bool = False,
        skip_body: bool = False,
    ) -> Reply:
        """
        Send a request, and send it again where that is safe and useful.

        :param method: HTTP method.
        :param path: path and query.
        :param scope: the scope that the key needs, for the error.
        :param body: encoded JSON.
        :param effect: of applying it, which decides whether it may be sent again.
        :param save_to: the file for the body of a successful reply.
        :param writes: whether it changes what CloudZero holds, so that an unclear one must settle before the next.
        :param skip_body: whether to leave the body of a successful reply unread.
        :return: a successful reply.
        :raises CloudZeroError: one of its subclasses (section "Errors" of the documentation).
        """
        deadline = time.monotonic() + self._config.max_retry_seconds
        attempt = 0
        maybe_applied = False
        while True:
            attempt += 1
            result = self._send_once(
                method, path, body, effect, save_to, deadline, fresh=attempt > 1, writes=writes, skip_body=skip_body
            )
            outcome = outcome_of(result)
            action = action_for(outcome, effect)
            if action is Action.FINISH and isinstance(result, Reply):
                return result
            maybe_applied |= not certainly_not_applied(outcome, effect)
            told = _Told(self._describe(result), f"{method} {path}")
            error = self._final_error(action, outcome, result, told, scope)
            if error is None:
                settles = action is Action.SETTLE_AND_REPEAT and writes
                pause = self._pause_before_repeat(result, attempt, settles=settles)
                if time.monotonic() + pause <= deadline:
                    self._log_repeat(outcome, told, attempt, pause)
                    self._sleep(pause, settle_from=result.began if settles else None)
                    continue
                error = _gave_up(outcome, result, told, attempt, self._config.max_retry_seconds)
            if (writes and outcome is Outcome.UNCLEAR) or action is Action.STOP_AMBIGUOUS:
                self.wait_until_settled(result.began)
            error.maybe_applied = maybe_applied
            raise error

    def _send_once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        effect: Effect,
        save_to: BinaryIO | None,
        deadline: float,
        *,
        fresh: bool,
        writes: bool,
        skip_body: bool,
    ) -> Reply | NoReply:
        began = time.monotonic()
        try:
            return self._transport.exchange(
                method,
                path,
                limit=max(deadline - began, self._config.timeout),
                body=body,
                save_to=save_to,
                needs_body=not writes,
                skip_body=skip_body,
                fresh=fresh or effect is not Effect.REPEATABLE,
            )
        except ConfigurationError:
            raise
        except BaseException:
            # A timeout or kill of the task during a request: another task may be waiting to send on the stream.
            if writes:
                self.wait_until_settled(began)
            raise

    def _sleep(self, pause: float, *, settle_from: float | None) -> None:
        try:
            time.sleep(pause)
        except BaseException:
            if settle_from is not None:
                self.wait_until_settled(settle_from)
            raise

    def _final_error(
        self, action: Action, outcome: Outcome, result: Reply | NoReply, told: _Told, scope: str
    ) -> CloudZeroError | None:
        if action is Action.STOP_REFUSED:
            return _refused(outcome, result, told, scope, secret=self._config.api_key)
        if action is Action.STOP_AMBIGUOUS:
            return AmbiguousWriteError(
                f"The request may or may not have been applied, and must not be repeated: {told}.", _status(result)
            )
        return None

    def _log_repeat(self, outcome: Outcome, told: _Told, attempt: int, pause: float) -> None:
        hint = ""
        if attempt == 1:
            hint = f"; this goes on for at most {self._config.max_retry_seconds:g} s (max_retry_seconds)"
            if outcome is Outcome.NOT_SENT:
                hint += f". {_CHECK_ADDRESS}"
        log.warning("Sending the request again in %.1f s (attempt %d): %s%s", pause, attempt + 1, told, hint)

    def wait_until_settled(self, began: float, why: str = "a request without a reply may still be applied") -> None:
        """
        Wait until a request that began at this time (``time.monotonic()``) has settled.

        :param began: when it began.
        :param why: for the log.
        """
        rest = began + self._config.settle_seconds - time.monotonic()
        if rest > 0:
            log.info("Waiting %.1f s (settle_seconds), since %s", rest, why)
            time.sleep(rest)

    def _pause_before_repeat(self, result: Reply | NoReply, attempt: int, *, settles: bool) -> float:
        backoff = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 10)))  # noqa: S311
        pause = max(backoff, retry_after(result) or 0.0)
        if settles:
            pause = max(pause, result.began + self._config.settle_seconds - time.monotonic())
        return pause

    def _describe(self, result: Reply | NoReply) -> str:
        if isinstance(result, NoReply):
            sent = "no reply" if result.sent else f"not sent to {self._config.base_url}"
            return f"{sent} ({fit_for_logs(result.reason, secret=self._config.api_key)})"
        return f"HTTP {result.status}: {error_text(result.body, secret=self._config.api_key)}"


def retry_after(result: Reply | NoReply) -> float | None:
    """
    Read ``Retry-After``, in seconds or as a date: at most a week, since dates overflow.

    :return: seconds; ``None`` without a valid one.
    """
    if isinstance(result, NoReply):
        return None
    value = result.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), LONGEST_SECONDS)
    moment = _date(value)
    if moment is None:
        return None
    # By the server's clock, which may differ from ours.
    now = _date(result.headers.get("Date", "")) or datetime.now(timezone.utc)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_SECONDS)


def _date(text: str) -> datetime | None:
    """Parse an HTTP date; ``None`` when it is not valid."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _status(result: Reply | NoReply) -> int | None:
    return result.status if isinstance(result, Reply) else None


def _refused(outcome: Outcome, result: Reply | NoReply, told: _Told, scope: str, *, secret: str) -> CloudZeroError:
    status = _status(result)
    if outcome is Outcome.DENIED:
        return AuthenticationError(
            f"CloudZero refuses the API key: it is wrong, or it lacks the scope {scope}. CloudZero may reply the same "
            f"for an unknown stream. {told}.",
            status,
        )
    if status is not None and 300 <= status < 400:
        return RequestRejectedError(f"Redirects are not followed: check the connection's host. {told}.", status)
    kind = {404: NotFoundError, 413: PayloadTooLargeError}.get(status or 0, RequestRejectedError)
    return kind(f"{told}.", status, *error_kind(result.body if isinstance(result, Reply) else b"", secret=secret))


def _gave_up(outcome: Outcome, result: Reply | NoReply, told: _Told, attempts: int, limit: float) -> CloudZeroError:
    kind = _GAVE_UP[outcome]
    message = f"Gave up after {counted(attempts, 'attempt')} in {limit:g} s (max_retry_seconds): {told}."
    if outcome is Outcome.NOT_SENT:
        message = f"{message} {_CHECK_ADDRESS}"
    if issubclass(kind, RateLimitError):
        wait = retry_after(result)
        asked = f" CloudZero asks to wait {wait:g} s." if wait is not None else ""
        return kind(message + asked, _status(result), retry_after=wait)
    return kind(message, _status(result)) if issubclass(kind, ReplyError) else kind(message)
