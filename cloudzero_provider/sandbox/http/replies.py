"""Replies in CloudZero's documented shapes, and the exception that carries one."""

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
    The ``type`` of an error; CloudZero documents the field but none of its values.

    The values for telemetry records and keys were seen in replies from CloudZero.
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
    NOT_IMPLEMENTED = "NotInTheSandbox"


@dataclass(frozen=True)
class Reply:
    """A reply whose content is produced in pieces, so that a month of 70 MB is never in memory as a whole."""

    status: int
    length: int
    pieces: Callable[[], Iterator[bytes]]
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def bytes_reply(
    status: int, content: bytes, content_type: str = JSON, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """A reply with its whole content in memory."""
    return Reply(status, len(content), lambda: iter((content,)), content_type, headers)


def json_reply(status: int, value: object) -> Reply:
    """A reply with a JSON value."""
    return bytes_reply(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def error_reply(status: int, kind: ErrorType, message: str) -> Reply:
    """``{"error": {"message", "type"}}``, documented for 400 and 404."""
    return json_reply(status, {"error": {"message": message, "type": kind.value}})


def detailed_error(kind: ErrorType, message: str, details: Mapping[str, object]) -> RefusedError:
    """A 400 with further fields in the error, as telemetry replies."""
    return RefusedError(json_reply(400, {"error": {"type": kind.value, "message": message, **details}}))


def message_reply(status: int, message: str) -> Reply:
    """``{"message"}``, documented for 403 and 413."""
    return json_reply(status, {"message": message})


def refusal_reply(status: int, kind: ErrorType, message: str) -> Reply:
    """An error in the shape that is documented for its status; other statuses below 500 are like 400."""
    if status in (401, 403, 413) or status >= 500:
        return message_reply(status, message)
    return error_reply(status, kind, message)


class RefusedError(Exception):
    """A request is refused; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"refused with {reply.status}")
        self.reply = reply


def bad_request(kind: ErrorType, message: str) -> RefusedError:
    """A 400 in the documented shape."""
    return RefusedError(error_reply(400, kind, message))
