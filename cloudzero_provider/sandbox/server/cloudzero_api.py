"""CloudZero's API: every request on its paths, from the arrival of its headers to the end of its reply."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from cloudzero_provider.sandbox.anycost.drop import DropReading, read_drop
from cloudzero_provider.sandbox.common.failure_reports import failure_report
from cloudzero_provider.sandbox.common.months import Month, parse_given_month
from cloudzero_provider.sandbox.http.replies import (
    ErrorType,
    RefusedError,
    Reply,
    bad_request,
    bytes_reply,
    error_reply,
    message_reply,
)
from cloudzero_provider.sandbox.http.wire import BodyLimit, lose, read_body, send, send_half
from cloudzero_provider.sandbox.server.anycost_actions import act, concurrent_reply, is_concurrent, no_such_endpoint
from cloudzero_provider.sandbox.server.endpoints import Action, Target, TelemetryTarget, find_target
from cloudzero_provider.sandbox.server.faults import Fault, FaultKind, FaultTarget
from cloudzero_provider.sandbox.server.idempotency import ReplyKey, find_reply, forget_replies, keep_reply
from cloudzero_provider.sandbox.server.keys import BLACK
from cloudzero_provider.sandbox.server.request_log import RequestRecord
from cloudzero_provider.sandbox.server.running import Running
from cloudzero_provider.sandbox.server.state import Call, Sandbox
from cloudzero_provider.sandbox.server.throttle import Rate, rate_scope
from cloudzero_provider.sandbox.settings.access import TestKey
from cloudzero_provider.sandbox.settings.fields import Permission
from cloudzero_provider.sandbox.telemetry.records import read_telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from cloudzero_provider.sandbox.settings.all_settings import Settings

_IDEMPOTENCY_KEY = "cloudzero-idempotency-key"
_TEST_KEY = "cloudzero-test-key"


class CloudZeroApi:
    """Replies as CloudZero would, and applies the faults that are set to requests and replies."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = self._arrive(request)
        try:
            return await self._answer(call)
        except (ConnectionError, PayloadEncodingError, web.RequestPayloadError):
            return lose(request)
        except Exception as error:
            print(failure_report(error, self._sandbox.keys), file=sys.stderr)  # noqa: T201
            return await self._send(call, message_reply(500, "The sandbox failed; its log says how."))
        finally:
            self._leave(call)

    def _arrive(self, request: web.Request) -> Call:
        sandbox = self._sandbox
        raw_path = request.rel_url.raw_path
        target = find_target(request.method, raw_path)
        running_on = target.running_on if target else None
        others = sandbox.running.others(running_on) if running_on is not None else ()
        telemetry, connection_id = (target.telemetry, target.connection_id) if target else (None, None)
        agent = request.headers.get("User-Agent")
        record = RequestRecord(
            number=sandbox.log.next_number(),
            method=request.method,
            path=sandbox.keys.without_keys(raw_path),
            connection_id=None if connection_id is None else sandbox.keys.without_keys(connection_id),
            stream=sandbox.keys.without_keys(telemetry.name) if telemetry else None,
            started=time.time(),
            overlapped=bool(others),
            user_agent=None if agent is None else sandbox.keys.without_keys(agent),
            bytes=request.content_length if request.method == "POST" else None,
        )
        sandbox.log.save(record)
        path_month = (target.month if target else None) or ""
        return Call(request, target, sandbox.settings, record, others, path_month=path_month)

    def _leave(self, call: Call) -> None:
        number = call.record.number
        self._sandbox.running.leave(number)
        if call.reply_key and self._sandbox.keys_in_use.get(call.reply_key) == number:
            del self._sandbox.keys_in_use[call.reply_key]
        self._note(call, ended=time.time())

    def _note(self, call: Call, **values: Any) -> None:
        call.record = replace(call.record, **values)
        self._sandbox.log.save(call.record)

    async def _answer(self, call: Call) -> web.StreamResponse:
        try:
            target = self._admit(call)
        except RefusedError as refused:
            return await self._send(call, self._without_keys(refused.reply))
        try:
            self._enter(call, target)
            await self._read(call, target)
        except RefusedError as refused:
            return await self._send(call, await self._refused(call, refused.reply))
        fault = self._sandbox.faults.fire(_fault_target(call))
        if fault is None:
            return await self._send(call, await self._reply(call, target))
        self._note(call, fault=fault.kind.value)
        return await self._with_fault(call, target, fault)

    def _admit(self, call: Call) -> Target:
        """Let the request in, or refuse it as a gateway would: before any of the service's own code runs."""
        target = call.target
        if target is None:
            raise RefusedError(no_such_endpoint(call.request.rel_url.raw_path))
        self._check_key(call, target)
        if not target.endpoint.is_telemetry:
            # Idempotency keys belong to /v2: https://docs.cloudzero.com/reference/idempotency
            self._claim_key(call)
        return target

    def _enter(self, call: Call, target: Target) -> None:
        """Let the request run on its stream; there is no waiting between its arrival and that."""
        if _TEST_KEY in call.request.headers and call.settings.test_key is TestKey.REFUSE:
            message = f"The sandbox does not implement {_TEST_KEY}; nothing was done."
            raise bad_request(ErrorType.NOT_IN_THE_SANDBOX, message)
        self._slow_down(call, target)
        if target.running_on is not None:
            writes = target.endpoint.method == "POST"
            self._sandbox.running.enter(Running(call.record.number, target.running_on, writes))

    def _check_key(self, call: Call, target: Target) -> None:
        settings = call.settings
        given = call.request.headers.get("Authorization")
        key = self._sandbox.keys.find(given, bearer=settings.bearer is Permission.ACCEPT)
        if key is None:
            raise RefusedError(message_reply(settings.denied_status, "Forbidden"))
        scope = target.endpoint.scope
        if scope is not None and scope not in key.scopes:
            message = f"The API key lacks the scope {scope.value}."
            raise RefusedError(message_reply(settings.denied_status, message))
        call.rate_scope = rate_scope(settings, key, target)

    def _slow_down(self, call: Call, target: Target) -> None:
        if target.endpoint.is_telemetry:
            return
        settings = call.settings
        status, retry_after = settings.anycost_throttle_status, settings.anycost_retry_after
        rate = Rate(settings.anycost_rate, settings.anycost_burst, status, retry_after)
        self._sandbox.anycost_throttle.take(1, rate, call.rate_scope, time.time())

    def _claim_key(self, call: Call) -> None:
        value = call.request.headers.get(_IDEMPOTENCY_KEY)
        if value is None:
            return
        key = ReplyKey(call.request.rel_url.raw_path, call.request.method, value)
        call.reply_key = key
        owner = self._sandbox.keys_in_use.setdefault(key, call.record.number)
        call.is_second_of_its_key = owner != call.record.number

    async def _read(self, call: Call, target: Target) -> None:
        if not target.endpoint.has_a_body:
            month = _month_or_none(call)
            self._note(call, month=str(month) if month else None)
            return
        if call.request.body_exists or target.endpoint.needs_a_body:
            call.body = await self._read_body(call, _body_limit(target, call.settings))
            self._note(call, bytes=len(call.body))
        if target.endpoint.takes_a_drop:
            call.reading = await asyncio.to_thread(read_drop, call.body, call.settings)
            self._note_reading(call, call.reading)
        elif target.endpoint.action is Action.SEND_RECORDS and target.telemetry is not None:
            await self._read_telemetry(call, target.telemetry)

    async def _read_body(self, call: Call, limit: BodyLimit) -> bytes:
        seconds = _seconds(call.settings)
        reading = read_body(call.request, call.settings, limit)
        try:
            return await self._sandbox.clients.wait(call.record.number, call.request, reading, seconds)
        except asyncio.TimeoutError:
            message = f"Request Timeout: the body did not arrive within {seconds:g} seconds."
            raise RefusedError(message_reply(408, message)) from None

    async def _read_telemetry(self, call: Call, target: TelemetryTarget) -> None:
        kind, operation = target.kind, target.operation
        call.telemetry = await asyncio.to_thread(read_telemetry, call.body, kind, operation, call.settings, time.time())
        self._note(call, operation=operation.value, rows=call.telemetry.record_count)

    def _note_reading(self, call: Call, reading: DropReading) -> None:
        operation = reading.operation.value if reading.operation else None
        month = str(reading.month) if reading.month else None
        self._note(call, operation=operation, month=month, rows=reading.row_count)

    async def _with_fault(self, call: Call, target: Target, fault: Fault) -> web.StreamResponse:
        request, number = call.request, call.record.number
        if fault.kind is FaultKind.LOSE_REQUEST:
            return lose(request)
        if fault.kind is FaultKind.REFUSE:
            return await self._send(call, await self._kept(call, _refusal(fault)))
        if fault.kind is FaultKind.LOSE_REPLY_THEN_APPLY:
            lost = lose(request)
            if await self._sandbox.pauses.wait(number, fault.seconds):
                await self._reply(call, target)
            return lost
        reply = await self._reply(call, target)
        if fault.kind is FaultKind.APPLY_THEN_LOSE_REPLY:
            return lose(request)
        if fault.kind is FaultKind.CUT_REPLY:
            return await self._sending(call, send_half(request, reply, _seconds(call.settings)))
        await self._sandbox.pauses.wait(number, fault.seconds)
        return await self._send(call, reply)

    async def _reply(self, call: Call, target: Target) -> Reply:
        """The reply kept for the request's idempotency key, or else the reply to carrying the request out."""
        kept = await self._find_kept(call)
        if kept is not None:
            self._note(call, replayed=True)
            return kept
        if call.is_second_of_its_key and is_concurrent(call):
            # Not kept: the first reply for this key is the one that the running request is going to get.
            return concurrent_reply(call.settings)
        return await self._kept(call, self._without_keys(await act(self._sandbox, call, target)))

    async def _refused(self, call: Call, refusal: Reply) -> Reply:
        """
        The reply to a request that is not carried out: the kept one, since its key comes before all other checks.

        "Checked before any other code runs", and "true for all responses": https://docs.cloudzero.com/reference/idempotency
        """
        kept = await self._find_kept(call)
        if kept is not None:
            self._note(call, replayed=True)
            return kept
        shown = self._without_keys(refusal)
        # While the first request of its key still runs, the first reply is the one that that is going to get.
        return shown if call.is_second_of_its_key else await self._kept(call, shown)

    def _without_keys(self, reply: Reply) -> Reply:
        """A reply that repeats no key from the request. What the sandbox was given to hold is shown as it is."""
        if reply.status < 400:
            return reply
        content = self._sandbox.keys.without_keys(b"".join(reply.pieces()).decode("utf-8", "replace"))
        if content == BLACK:
            return error_reply(reply.status, ErrorType.INVALID_BODY, BLACK)
        return bytes_reply(reply.status, content.encode("utf-8", "replace"), reply.content_type, reply.headers)

    async def _find_kept(self, call: Call) -> Reply | None:
        key, seconds = call.reply_key, call.settings.idempotency_seconds
        if key is None:
            return None
        oldest = time.time() - seconds if seconds else None
        if oldest is not None:
            await self._sandbox.database.write(lambda database: forget_replies(database, oldest))
        return await asyncio.to_thread(find_reply, self._sandbox.database, key)

    async def _kept(self, call: Call, reply: Reply) -> Reply:
        """Keep the reply for its key, errors included, and give the kept one: it can be read again."""
        key = call.reply_key
        if key is None:
            return reply
        await self._sandbox.database.write(lambda database: keep_reply(database, key, reply, time.time()))
        return await asyncio.to_thread(find_reply, self._sandbox.database, key) or reply

    async def _send(self, call: Call, reply: Reply) -> web.StreamResponse:
        response = await self._sending(call, send(call.request, reply, _seconds(call.settings)))
        call.record = replace(call.record, status=reply.status)
        return response

    async def _sending(self, call: Call, work: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        return await self._sandbox.clients.wait(call.record.number, call.request, work)


def _seconds(settings: Settings) -> float | None:
    """How long a client is waited for; None is for ever."""
    return settings.client_timeout_seconds or None


def _fault_target(call: Call) -> FaultTarget:
    record = call.record
    return FaultTarget(record.method, record.path, record.operation, record.month, record.connection_id, record.stream)


def _body_limit(target: Target, settings: Settings) -> BodyLimit:
    if target.endpoint.is_telemetry:
        return BodyLimit(settings.telemetry_body_limit, settings.telemetry_body_limit_status)
    return BodyLimit(settings.body_limit)


def _month_or_none(call: Call) -> Month | None:
    try:
        return parse_given_month(call.path_month, call.settings)
    except ValueError:
        return None


def _refusal(fault: Fault) -> Reply:
    headers = (("Retry-After", fault.retry_after),) if fault.retry_after is not None else ()
    return bytes_reply(fault.status, fault.body, fault.content_type, headers)
