"""HEAD gets the headers of GET and no content, which the client would take for the beginning of the next reply."""

from __future__ import annotations

import http.client

import pytest

STREAM = "1234abcd-1234-abcd-1234-abcd1234efgh"

PATHS = [
    "/",
    "/favicon.ico",
    "/sandbox/state",
    "/sandbox/requests",
    "/sandbox/settings",
    "/sandbox/no-such-page",
    f"/sandbox/streams/{STREAM}/2024-08/rows",
    "/sandbox/telemetry/orders/records",
    "/sandbox/telemetry/nobody/records",
    "/v2/connections/billing",
    f"/v2/connections/billing/{STREAM}",
    "/v2/connections/billing/nobody",
    f"/v2/connections/billing/anycost/{STREAM}/billing_drops",
    f"/v2/connections/billing/anycost/{STREAM}/billing_drops/2024-08",
    f"/v2/connections/billing/anycost/{STREAM}/billing_drops/2024-07",
    "/v2/connections/billing/anycost/validate_billing_drop",
    "/v2/budgets",
    "/v2/nothing",
    "/unit-cost/v1/telemetry/metric/orders",
    "/unit-cost/v1/telemetry/orders/records",
    "/unit-cost/v1/telemetry/metric/orders/sum",
]


@pytest.fixture
def connection(cloudzero):
    cloudzero.set(processed_after_seconds=0)
    cloudzero.post([cloudzero.row()])
    cloudzero.send([cloudzero.metric()])
    found = http.client.HTTPConnection(cloudzero.url.removeprefix("http://"), timeout=10)
    yield found
    found.close()


def ask(connection, method, path, **headers):
    connection.request(method, path, headers={"Authorization": "sandbox-test-key-1234", **headers})
    reply = connection.getresponse()
    content = reply.read()
    shown = {name.lower(): value for name, value in reply.getheaders() if name.lower() not in ("date", "allow")}
    return reply.status, shown, content


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_content_and_the_connection_stays_usable(connection, path):
    status, headers, content = ask(connection, "GET", path)
    for _ in range(2):
        seen_status, seen, nothing = ask(connection, "HEAD", path)
        assert (seen_status, nothing) == (status, b"")
        for changing in ("content-length", "transfer-encoding") if path == "/sandbox/requests" or path == "/" else ():
            seen.pop(changing, None)
            headers.pop(changing, None)
        assert {**headers, "transfer-encoding": None} == {**seen, "transfer-encoding": None}
        # The next reply on the connection is the one to the next request.
        assert ask(connection, "GET", path)[0] == status
    if content and "content-length" in headers:
        assert int(headers["content-length"]) == len(content)


def test_head_needs_the_scope_of_get(connection):
    path = f"/v2/connections/billing/anycost/{STREAM}/billing_drops"
    assert ask(connection, "HEAD", path, Authorization="sandbox-reader-key-5678")[0] == 200
    assert ask(connection, "HEAD", f"{path}/2024-08", Authorization="sandbox-reader-key-5678")[0] == 403
    assert ask(connection, "HEAD", path, Authorization="wrong")[0] == 403
    assert ask(connection, "GET", path)[0] == 200


def test_the_connection_stays_usable_after_a_reply_without_content(connection, cloudzero):
    cloudzero.set(success_status=204)
    path = f"/v2/connections/billing/anycost/{STREAM}/billing_drops"
    body = b'{"data": [{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "2"}]}'
    for _ in range(2):
        connection.request(
            "POST", path, body, {"Authorization": cloudzero.KEY, "Content-Type": "application/json"}
        )  # fmt: skip
        reply = connection.getresponse()
        assert (reply.status, reply.read(), reply.getheader("Content-Length")) == (204, b"", None)
    assert ask(connection, "HEAD", path)[0] == 200
    assert cloudzero.costs() == ["2"]
