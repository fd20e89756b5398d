from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
from support.raw_server import answer, raw_server, read_all
from support.sandbox_server import KEY, STREAM, SandboxServer
from support.tasks import connection

from cloudzero_provider.client import Effect
from cloudzero_provider.exceptions import AuthenticationError, ConfigurationError, RequestRejectedError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.links import AnyCostConnectionLink
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

ALL_FOUR = (
    "connections:create_billing_anycost_billing_drop,connections:create_billing_anycost_validate_billing_drop,"
    "connections:read_billing_anycost_billing_drops,connections:read_billing_anycost_billing_drops_month"
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A sandbox with keys of several scopes."""
    sandbox = SandboxServer(
        tmp_path_factory.mktemp("keys"),
        "--api-key",
        f"sender-key-1:{ALL_FOUR}",
        "--api-key",
        "blind-key-1:connections:create_billing_anycost_billing_drop",
        "--api-key",
        "listing-key-1:connections:read_billing_anycost_billing_drops",
        "--api-key",
        "telemetry-key-1:unit-cost_v1:manage_telemetry_records,unit-cost_v1:read_telemetry",
    )
    yield sandbox
    sandbox.stop()


def hook(monkeypatch, value):
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", value)
    return CloudZeroHook()


def test_a_connection_as_json_leads_to_cloudzero(sandbox):
    assert CloudZeroHook().get_conn().list_drops(STREAM) == []


def test_a_connection_as_uri_leads_to_cloudzero(sandbox, monkeypatch):
    host, port = sandbox.url.removeprefix("http://").split(":")
    uri = f"cloudzero://:{KEY}@{host}:{port}/http?anycost_connection_id={STREAM}&timeout=5&allow_http=false"
    made = hook(monkeypatch, uri)
    assert made.get_conn().list_drops(made.anycost_connection_id()) == []
    assert made.get_conn().config.timeout == 5


def test_a_connection_of_a_secrets_backend_leads_to_cloudzero(sandbox, tmp_path, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT")
    (tmp_path / "connections.json").write_text(json.dumps({"cloudzero_default": json.loads(connection(sandbox))}))
    program = (
        "from cloudzero_provider.hooks.cloudzero import CloudZeroHook as H; h = H(); "
        "print('listed', h.client.list_drops(h.anycost_connection_id()))"
    )
    settings = {
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(tmp_path / "connections.json")}),
    }
    ran = subprocess.run([sys.executable, "-c", program], env=os.environ | settings, capture_output=True, text=True)
    assert "listed []" in ran.stdout, ran.stderr


def test_the_base_url_is_cloudzeros_unless_the_connection_has_one(monkeypatch):
    assert hook(monkeypatch, f"cloudzero://:{KEY}@").get_conn().config.base_url == "https://api.cloudzero.com"
    made = hook(
        monkeypatch, json.dumps({"conn_type": "cloudzero", "password": KEY, "host": "cz.example", "port": 8443})
    )
    assert made.get_conn().config.base_url == "https://cz.example:8443"


# A person who fills in the form gives a port for the connection test of Airflow 3.3.1 and 3.3.2, which needs one.
@pytest.mark.parametrize(
    ("host", "port", "base_url"),
    [
        (None, 443, "https://api.cloudzero.com:443"),
        ("https://cz.example", 443, "https://cz.example:443"),
        ("https://cz.example/", 8443, "https://cz.example:8443"),
        ("https://cz.example:8443", 8443, "https://cz.example:8443"),
        ("cz.example:8443", 8443, "https://cz.example:8443"),
        ("http://[::1]:8900", 8900, "http://[::1]:8900"),
        ("https://cz.example:8443", 0, "https://cz.example:8443"),
    ],
)
def test_a_port_goes_with_any_form_of_the_host(host, port, base_url, monkeypatch):
    fields = {"conn_type": "cloudzero", "password": KEY, "host": host, "port": port}
    assert hook(monkeypatch, json.dumps(fields)).get_conn().config.base_url == base_url


def test_two_ports_that_differ_are_refused(monkeypatch):
    fields = {"conn_type": "cloudzero", "password": KEY, "host": "https://cz.example:8443", "port": 443}
    with pytest.raises(ConfigurationError, match="the host has port 8443, but the port field has 443"):
        hook(monkeypatch, json.dumps(fields)).get_conn()


def test_extras_set_the_client(monkeypatch):
    extra = {"timeout": "7", "max_retry_seconds": 8, "settle_seconds": 9.5, "anycost_connection_id": "s"}
    config = hook(monkeypatch, json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": extra})).client.config
    assert (config.timeout, config.max_retry_seconds, config.settle_seconds) == (7, 8, 9.5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": ""}, "The API key is missing"),
        ({"extra": {"timeout": "soon"}}, "timeout is 'soon': expected a number, 0 to 604,800 seconds"),
        ({"extra": {"timeout": True}}, "timeout is True: expected a number, 0 to 604,800 seconds"),
        ({"extra": {"allow_http": "maybe"}}, "allow_http is 'maybe': expected True or False, also as text"),
        (
            {"extra": {"conection_id": "x"}},
            "the extra has unknown fields: 'conection_id'. Expected: anycost_connection_id",
        ),
        ({"host": "http://sandbox:8900"}, "unencrypted"),
    ],
)
def test_the_error_of_an_unusable_connection_says_why(monkeypatch, fields, words):
    made = hook(monkeypatch, json.dumps({"conn_type": "cloudzero", "password": KEY, **fields}))
    with pytest.raises(ConfigurationError, match=words):
        made.get_conn()
    works, message = made.test_connection()
    assert not works
    assert words.split(".")[0] in message


def test_plain_http_to_another_machine_is_loud_in_the_log(monkeypatch, capfd):
    extra = {"allow_http": True}
    made = hook(
        monkeypatch, json.dumps({"conn_type": "cloudzero", "password": KEY, "host": "http://sb:1", "extra": extra})
    )
    made.get_conn()
    logged = "".join(capfd.readouterr())
    assert "UNENCRYPTED to http://sb:1" in logged
    assert KEY not in logged


def test_the_error_of_a_missing_stream_says_where_to_put_it(monkeypatch):
    made = hook(monkeypatch, f"cloudzero://:{KEY}@")
    with pytest.raises(ConfigurationError, match="set anycost_connection_id on the operator, or in the extra"):
        made.anycost_connection_id()
    assert made.anycost_connection_id("mine") == "mine"


def probe(monkeypatch, sandbox, **options):
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(sandbox, **options))
    return CloudZeroHook().test_connection()


ONE = b'{"month":"2026-03","operation":"replace_drop","data":[]}'
NOT_CHECKED = (
    "Sending is not checked, since this test writes nothing: it needs connections:create_billing_anycost_billing_drop for "
    "billing drops, unit-cost_v1:manage_telemetry_records for telemetry."
)


def test_a_good_connection_works_and_nothing_is_written(monkeypatch, keys):
    assert probe(monkeypatch, keys) == (
        True,
        f"Works: CloudZero accepts the API key, and knows the AnyCost stream {STREAM}. {NOT_CHECKED}",
    )
    assert keys.writes() == []
    assert keys.months() == {}


def test_a_key_that_sends_drops_works_and_hears_what_it_lacks(monkeypatch, keys):
    works, message = probe(monkeypatch, keys, key="sender-key-1")
    assert works
    assert message == (
        f"Works: CloudZero accepts the API key, and knows the AnyCost stream {STREAM}. It lacks "
        f"connections:read_billings, unit-cost_v1:read_telemetry, which some features need. {NOT_CHECKED}"
    )


def test_a_key_for_telemetry_works(monkeypatch, keys):
    works, message = probe(monkeypatch, keys, key="telemetry-key-1")
    assert works
    assert message.startswith(
        "Works: CloudZero accepts the API key. It lacks connections:read_billing_anycost_billing_"
    )


def test_of_a_key_that_only_lists_the_test_can_not_tell(monkeypatch, keys):
    works, message = probe(monkeypatch, keys, key="listing-key-1")
    assert not works
    assert message.startswith("Can't tell: CloudZero accepts the API key, and knows the AnyCost stream ")
    assert ", but it may be a key that only reads. It lacks connections:read_billings, " in message
    assert message.endswith(NOT_CHECKED)


@pytest.mark.parametrize("key", ["wrong-key-123", "blind-key-1"])
def test_of_a_wrong_key_and_of_one_that_only_sends_the_test_can_not_tell(monkeypatch, keys, key):
    works, message = probe(monkeypatch, keys, key=key)
    assert not works
    assert message.startswith("Can't tell: CloudZero replies 403 to every check, as it does to a key that is wrong or ")
    assert "a key with only the scopes for that" in message
    assert key not in message


def test_a_key_that_is_not_accepted_is_refused(monkeypatch):
    def refuses(connection, head):
        read_all(connection, head)
        connection.sendall(answer(401, b"{}"))

    with raw_server(refuses) as url:
        fields = {"conn_type": "cloudzero", "password": KEY, "host": url}
        works, message = hook(monkeypatch, json.dumps(fields)).test_connection()
    assert (works, message) == (False, "Refused: CloudZero does not accept the API key (HTTP 401).")


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_stream_is_distinguished_from_a_wrong_key(monkeypatch, keys, status):
    keys.settings(unknown_connection_status=status)
    works, message = probe(monkeypatch, keys, anycost_connection_id="5678-unknown")
    assert not works
    assert message.startswith(
        "Refused: CloudZero accepts the API key, but does not know the AnyCost stream 5678-unknown."
    )


def test_an_unreachable_host_is_distinguished_from_a_wrong_key(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fields = {"conn_type": "cloudzero", "password": KEY, "host": f"http://127.0.0.1:{port}"}
    works, message = hook(monkeypatch, json.dumps(fields)).test_connection()
    assert not works
    assert message.startswith("Can't tell: CloudZero can't be reached.")
    works, message = hook(monkeypatch, json.dumps({**fields, "host": "https://no-such-host.invalid"})).test_connection()
    assert not works
    assert message.startswith("Can't tell: CloudZero can't be reached.")


def test_an_unknown_connection_raises_no_exception(monkeypatch):
    works, message = CloudZeroHook("not_there").test_connection()
    assert not works
    assert message


@pytest.mark.parametrize("status", [400, 404])
def test_sending_to_an_unknown_stream_names_it_and_where_its_id_is(monkeypatch, keys, status):
    keys.settings(unknown_connection_status=status)
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(keys))
    client = CloudZeroHook().client
    for call in (
        lambda: client.list_drops("5678-x"),
        lambda: client.send_drop("5678-x", ONE, effect=Effect.REPEATABLE),
    ):
        with pytest.raises(RequestRejectedError) as error:
            call()
        assert str(error.value).startswith(
            "CloudZero does not know the AnyCost stream 5678-x. Copy its id from its page, under Settings > Billing "
            f"Connections; a sandbox creates it with --connection. HTTP {status}: "
        )


def test_sending_without_the_scope_names_it(monkeypatch, keys):
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(keys, key="listing-key-1"))
    with pytest.raises(AuthenticationError, match="lacks the scope connections:create_billing_anycost_billing_drop"):
        CloudZeroHook().client.send_drop(STREAM, b"{}", effect=Effect.REPEATABLE)


def test_a_key_that_may_not_list_drops_sends_without_the_guard_only(monkeypatch, keys):
    from support.tasks import send

    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection(keys, key="blind-key-1"))
    with pytest.raises(AuthenticationError, match=r"nothing was sent\. min_rows_ratio=0 sends anyway\."):
        send(records=[{"time/usage_start": "2026-03-01", "cost/cost": "1"}])
    summary = send(records=[{"time/usage_start": "2026-03-01", "cost/cost": "1"}], min_rows_ratio=0)
    assert summary["replaced_rows"] is None
    assert keys.month("2026-03")["rows"] == 1


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("", AnyCostConnectionLink.page),
        ("https://api.cloudzero.com", AnyCostConnectionLink.page),
        ("api.cloudzero.com", AnyCostConnectionLink.page),
        ("https://cloudzero.com:443", AnyCostConnectionLink.page),
        ("https://notcloudzero.com", "https://notcloudzero.com/"),
        ("https://cloudzero.com.example", "https://cloudzero.com.example/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http://sandbox:8080", AnyCostConnectionLink.page),
        ("https://user:secret@127.0.0.1", AnyCostConnectionLink.page),
        ("https://127.0.0.1/?key=secret", AnyCostConnectionLink.page),
    ],
)
def test_a_link_leads_to_the_host_of_the_connection(monkeypatch, host, page):
    monkeypatch.setenv("AIRFLOW_CONN_LINKED", json.dumps({"conn_type": "cloudzero", "host": host, "password": "k"}))
    task = AnyCostBillingDropOperator(task_id="send", cloudzero_conn_id="linked", records=[])
    assert AnyCostConnectionLink().get_link(task, ti_key=None) == page


def test_a_link_leads_to_the_sandbox_in_another_container(monkeypatch):
    connection = {
        "conn_type": "cloudzero",
        "host": "http://sandbox:8080",
        "password": "k",
        "extra": {"allow_http": True},
    }
    monkeypatch.setenv("AIRFLOW_CONN_LINKED", json.dumps(connection))
    task = AnyCostBillingDropOperator(task_id="send", cloudzero_conn_id="linked", records=[])
    assert AnyCostConnectionLink().get_link(task, ti_key=None) == "http://sandbox:8080/"
