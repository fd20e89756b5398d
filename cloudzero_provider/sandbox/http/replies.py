"""Replies in CloudZero's documented shapes, and refusals as exceptions that carry one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

JSON = "application/json"


class ErrorType(Enum):
    """
    The ``type`` of an error; CloudZero documents the field and none of its values.

    The last three are what its telemetry has been seen to answer.
    """

    INVALID_BODY = "InvalidBody"
    INVALID_DROP = "InvalidDrop"
    INVALID_CONNECTION = "InvalidConnectionError"
    INVALID_PARAMETER = "InvalidParameter"
    MONTH_LIMIT = "MonthLimitExceeded"
    UNKNOWN_CONNECTION = "UnknownConnection"
    CONCURRENT = "ConcurrentRequest"
    NOT_FOUND = "NotFound"
    INVALID_STREAM = "InvalidStreamException"
    INVALID_RECORDS = "InvalidRecordsException"
    INVALID_KEYS = "InvalidKeysException"
    UNREGISTERED_KEY_SET = "UnregisteredKeySetException"
    NOT_IN_THE_SANDBOX = "NotInTheSandbox"


@dataclass(frozen=True)
class Reply:
    """A reply whose content is made piece by piece, so that a month of 70 MB is never held as a whole."""

    status: int
    length: int
    pieces: Callable[[], Iterator[bytes]]
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def bytes_reply(
    status: int, content: bytes, content_type: str = JSON, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """A reply with content that is there as a whole."""
    return Reply(status, len(content), lambda: iter((content,)), content_type, headers)


def json_reply(status: int, value: object) -> Reply:
    """A reply with a JSON value."""
    return bytes_reply(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def error_reply(status: int, kind: ErrorType, message: str) -> Reply:
    """``{"error": {"message", "type"}}``, documented for 400 and 404."""
    return json_reply(status, {"error": {"message": message, "type": kind.value}})


def detailed_error(kind: ErrorType, message: str, details: Mapping[str, object]) -> RefusedError:
    """A refusal with 400 and more fields in the error, as telemetry answers."""
    return RefusedError(json_reply(400, {"error": {"type": kind.value, "message": message, **details}}))


def message_reply(status: int, message: str) -> Reply:
    """``{"message"}``, documented for 403 and 413."""
    return json_reply(status, {"message": message})


class RefusedError(Exception):
    """A request that is not carried out, with the reply that says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"refused with {reply.status}")
        self.reply = reply


def bad_request(kind: ErrorType, message: str) -> RefusedError:
    """A refusal with 400."""
    return RefusedError(error_reply(400, kind, message))
