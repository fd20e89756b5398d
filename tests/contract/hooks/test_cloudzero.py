from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
from support.sandbox_server import KEY, STREAM, SandboxServer
from support.tasks import connection

from cloudzero_provider.client import Effect
from cloudzero_provider.exceptions import AuthenticationError, ConfigurationError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook

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


def test_a_good_connection_passes_and_nothing_is_written(monkeypatch, keys):
    works, message = probe(monkeypatch, keys)
    assert works
    assert message == f"The API key is accepted, and the AnyCost stream {STREAM} is known. Nothing was written."
    assert keys.writes() == []
    assert keys.months() == {}


def test_the_key_of_a_sender_passes_and_hears_what_it_lacks(monkeypatch, keys):
    works, message = probe(monkeypatch, keys, key="sender-key-1")
    assert works
    assert "It lacks connections:read_billings" in message


def test_a_missing_scope_is_distinguished_from_a_wrong_key(monkeypatch, keys):
    works, message = probe(monkeypatch, keys, key="listing-key-1")
    assert works
    assert "lacks connections:read_billings, connections:create_billing_anycost_validate_billing_drop" in message
    works, message = probe(monkeypatch, keys, key="wrong-key-123")
    assert not works
    assert "refuses the API key (403)" in message
    assert "wrong-key-123" not in message


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_stream_is_distinguished_from_a_wrong_key(monkeypatch, keys, status):
    keys.settings(unknown_connection_status=status)
    works, message = probe(monkeypatch, keys, anycost_connection_id="5678-unknown")
    assert not works
    assert "The key is accepted, but CloudZero does not know the AnyCost stream 5678-unknown" in message


def test_an_unreachable_host_is_distinguished_from_a_wrong_key(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fields = {"conn_type": "cloudzero", "password": KEY, "host": f"http://127.0.0.1:{port}"}
    works, message = hook(monkeypatch, json.dumps(fields)).test_connection()
    assert not works
    assert "CloudZero can't be reached" in message
    works, message = hook(monkeypatch, json.dumps({**fields, "host": "https://no-such-host.invalid"})).test_connection()
    assert not works
    assert "CloudZero can't be reached" in message


def test_an_unknown_connection_raises_no_exception(monkeypatch):
    works, message = CloudZeroHook("not_there").test_connection()
    assert not works
    assert message


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
