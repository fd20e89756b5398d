"""CloudZero's API: handles every request on its paths, from its headers to the end of the reply."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError

from cloudzero_provider.sandbox.anycost.drop import DropReading, read_drop
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
from cloudzero_provider.sandbox.http.wire import BodyLimit, abort, read_body, send, send_half
from cloudzero_provider.sandbox.server.anycost_actions import act, concurrent_reply, is_concurrent, no_such_endpoint
from cloudzero_provider.sandbox.server.endpoints import Action, Target, TelemetryTarget, find_target
from cloudzero_provider.sandbox.server.faults import Fault, FaultKind, FaultTarget
from cloudzero_provider.sandbox.server.idempotency import ReplyKey, find_reply, forget_replies, keep_reply
from cloudzero_provider.sandbox.server.keys import REDACTED
from cloudzero_provider.sandbox.server.refusals import message_of
from cloudzero_provider.sandbox.server.request_log import RequestRecord
from cloudzero_provider.sandbox.server.running import RunningRequest
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
    """Replies as CloudZero would, with the faults that are armed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = self._register(request)
        try:
            return await self._respond(call)
        except (ConnectionError, PayloadEncodingError, web.RequestPayloadError):
            return abort(request)
        except Exception as error:
            print(self._sandbox.keys.traceback_without_keys(error), file=sys.stderr)  # noqa: T201
            return await self._send(call, message_reply(500, "The sandbox failed; see its log."))
        finally:
            self._finish(call)

    def _register(self, request: web.Request) -> Call:
        sandbox = self._sandbox
        raw_path = request.rel_url.raw_path
        target = find_target(request.method, raw_path)
        concurrency_key = target.concurrency_key if target else None
        others = sandbox.running.others(concurrency_key) if concurrency_key is not None else ()
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

    def _finish(self, call: Call) -> None:
        number = call.record.number
        self._sandbox.running.leave(number)
        if call.reply_key and self._sandbox.keys_in_use.get(call.reply_key) == number:
            del self._sandbox.keys_in_use[call.reply_key]
        self._update_record(call, ended=time.time())

    def _update_record(self, call: Call, **values: Any) -> None:
        call.record = replace(call.record, **values)
        self._sandbox.log.save(call.record)

    async def _respond(self, call: Call) -> web.StreamResponse:
        try:
            target = self._admit(call)
        except RefusedError as refused:
            return await self._send(call, self._without_keys(refused.reply))
        try:
            self._start(call, target)
            await self._read(call, target)
        except RefusedError as refused:
            return await self._send(call, await self._reply_to_refused(call, refused.reply))
        fault = self._sandbox.faults.fire(_fault_target(call))
        if fault is None:
            return await self._send(call, await self._reply(call, target))
        self._update_record(call, fault=fault.kind.value)
        return await self._with_fault(call, target, fault)

    def _admit(self, call: Call) -> Target:
        """Check endpoint and API key as a gateway would, before any of the service's own code runs."""
        target = call.target
        if target is None:
            raise RefusedError(no_such_endpoint(call.request.rel_url.raw_path))
        self._check_key(call, target)
        if not target.endpoint.is_telemetry:
            # Idempotency keys belong to /v2: https://docs.cloudzero.com/reference/idempotency
            self._claim_idempotency_key(call)
        return target

    def _start(self, call: Call, target: Target) -> None:
        """Register the request as running on its stream. Nothing is awaited between its arrival and this."""
        if _TEST_KEY in call.request.headers and call.settings.test_key is TestKey.REFUSE:
            message = f"The sandbox does not implement {_TEST_KEY}; nothing was applied."
            raise bad_request(ErrorType.NOT_IMPLEMENTED, message)
        self._throttle(call, target)
        if target.concurrency_key is not None:
            writes = target.endpoint.method == "POST"
            self._sandbox.running.enter(RunningRequest(call.record.number, target.concurrency_key, writes))

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

    def _throttle(self, call: Call, target: Target) -> None:
        if target.endpoint.is_telemetry:
            return
        settings = call.settings
        status, retry_after = settings.anycost_throttle_status, settings.anycost_retry_after
        rate = Rate(settings.anycost_rate, settings.anycost_burst, status, retry_after)
        self._sandbox.anycost_throttle.take(1, rate, call.rate_scope, time.time())

    def _claim_idempotency_key(self, call: Call) -> None:
        value = call.request.headers.get(_IDEMPOTENCY_KEY)
        if value is None:
            return
        key = ReplyKey(call.request.rel_url.raw_path, call.request.method, value)
        call.reply_key = key
        owner = self._sandbox.keys_in_use.setdefault(key, call.record.number)
        call.repeats_running_key = owner != call.record.number

    async def _read(self, call: Call, target: Target) -> None:
        if not target.endpoint.may_have_body:
            month = _month_or_none(call)
            self._update_record(call, month=str(month) if month else None)
            return
        if call.request.body_exists or target.endpoint.requires_body:
            call.body = await self._read_body(call, _body_limit(target, call.settings))
            self._update_record(call, bytes=len(call.body))
        if target.endpoint.has_drop_body:
            call.reading = await asyncio.to_thread(read_drop, call.body, call.settings)
            self._record_reading(call, call.reading)
        elif target.endpoint.action is Action.SEND_RECORDS and target.telemetry is not None:
            await self._read_telemetry(call, target.telemetry)

    async def _read_body(self, call: Call, limit: BodyLimit) -> bytes:
        seconds = _client_timeout(call.settings)
        reading = read_body(call.request, call.settings, limit)
        try:
            return await self._sandbox.clients.wait(call.record.number, call.request, reading, seconds)
        except asyncio.TimeoutError:
            message = f"Request Timeout: the body did not arrive within {seconds:g} seconds."
            raise RefusedError(message_reply(408, message)) from None

    async def _read_telemetry(self, call: Call, target: TelemetryTarget) -> None:
        kind, operation = target.kind, target.operation
        call.telemetry = await asyncio.to_thread(read_telemetry, call.body, kind, operation, call.settings, time.time())
        self._update_record(call, operation=operation.value, rows=call.telemetry.record_count)

    def _record_reading(self, call: Call, reading: DropReading) -> None:
        operation = reading.operation.value if reading.operation else None
        month = str(reading.month) if reading.month else None
        self._update_record(call, operation=operation, month=month, rows=reading.row_count)

    async def _with_fault(self, call: Call, target: Target, fault: Fault) -> web.StreamResponse:
        request, number = call.request, call.record.number
        if fault.kind is FaultKind.LOSE_REQUEST:
            return abort(request)
        if fault.kind is FaultKind.REFUSE:
            return await self._send(call, await self._keep(call, _fault_reply(fault)))
        if fault.kind is FaultKind.LOSE_REPLY_THEN_APPLY:
            lost = abort(request)
            if await self._sandbox.delayed.delay(number, fault.seconds):
                await self._reply(call, target)
            return lost
        reply = await self._reply(call, target)
        if fault.kind is FaultKind.APPLY_THEN_LOSE_REPLY:
            return abort(request)
        if fault.kind is FaultKind.CUT_REPLY:
            return await self._while_sending(call, send_half(request, reply, _client_timeout(call.settings)))
        await self._sandbox.delayed.delay(number, fault.seconds)
        return await self._send(call, reply)

    async def _reply(self, call: Call, target: Target) -> Reply:
        """Return the reply kept for the idempotency key, or carry out the request and return its reply."""
        kept = await self._find_kept_reply(call)
        if kept is not None:
            self._update_record(call, replayed=True)
            return kept
        if call.repeats_running_key and is_concurrent(call):
            # Not kept: the reply to keep for this key is the running request's.
            return concurrent_reply(call.settings)
        return await self._keep(call, self._without_keys(await act(self._sandbox, call, target)))

    async def _reply_to_refused(self, call: Call, refusal: Reply) -> Reply:
        """
        Return the reply to a refused request: the kept one, if any, because its key comes before all other checks.

        "Checked before any other code runs", and "true for all responses": https://docs.cloudzero.com/reference/idempotency
        """
        kept = await self._find_kept_reply(call)
        if kept is not None:
            self._update_record(call, replayed=True)
            return kept
        shown = self._without_keys(refusal)
        # While the first request with this key runs, the reply to keep is that request's.
        return shown if call.repeats_running_key else await self._keep(call, shown)

    def _without_keys(self, reply: Reply) -> Reply:
        """Redact API keys in an error reply. Stored data is returned unchanged."""
        if reply.status < 400:
            return reply
        content = self._sandbox.keys.without_keys(b"".join(reply.pieces()).decode("utf-8", "replace"))
        if content == REDACTED:
            return error_reply(reply.status, ErrorType.INVALID_BODY, REDACTED)
        return bytes_reply(reply.status, content.encode("utf-8", "replace"), reply.content_type, reply.headers)

    async def _find_kept_reply(self, call: Call) -> Reply | None:
        key, seconds = call.reply_key, call.settings.idempotency_seconds
        if key is None:
            return None
        oldest = time.time() - seconds if seconds else None
        if oldest is not None:
            await self._sandbox.database.write(lambda database: forget_replies(database, oldest))
        return await asyncio.to_thread(find_reply, self._sandbox.database, key)

    async def _keep(self, call: Call, reply: Reply) -> Reply:
        """Keep the reply, errors included, for the idempotency key; return the kept one, which can be read again."""
        key = call.reply_key
        if key is None:
            return reply
        await self._sandbox.database.write(lambda database: keep_reply(database, key, reply, time.time()))
        return await asyncio.to_thread(find_reply, self._sandbox.database, key) or reply

    async def _send(self, call: Call, reply: Reply) -> web.StreamResponse:
        if reply.status >= 400:
            # The reply of a fault is sent as it was given, and may have a key in it.
            call.record = replace(call.record, message=self._sandbox.keys.without_keys(message_of(reply)))
        response = await self._while_sending(call, send(call.request, reply, _client_timeout(call.settings)))
        call.record = replace(call.record, status=reply.status)
        return response

    async def _while_sending(self, call: Call, work: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        return await self._sandbox.clients.wait(call.record.number, call.request, work)


def _client_timeout(settings: Settings) -> float | None:
    """Seconds to wait for a client; None for no limit."""
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


def _fault_reply(fault: Fault) -> Reply:
    headers = (("Retry-After", fault.retry_after),) if fault.retry_after is not None else ()
    return bytes_reply(fault.status, fault.body, fault.content_type, headers)
