from __future__ import annotations

import pickle

import pytest

from cloudzero_provider.client import Client
from cloudzero_provider.client.anycost import checked_connection_id
from cloudzero_provider.client.config import ClientConfig
from cloudzero_provider.exceptions import ConfigurationError

KEY = "planted-key-7f3a9c51d2"


@pytest.mark.parametrize("given", [KEY, f"  {KEY}\n", f"Bearer {KEY}", f"bearer   {KEY} "])
def test_what_does_not_belong_to_the_key_is_taken_off(given):
    assert ClientConfig(given).api_key == KEY


@pytest.mark.parametrize("given", ["", "  ", "Bearer ", "two words", "with\nnewline", "schlüssel", "a\x00b", None])
def test_what_can_be_no_key_is_refused_without_showing_it(given):
    with pytest.raises(ConfigurationError) as error:
        ClientConfig(given)
    assert not given or not given.strip() or given.strip() not in str(error.value)


def test_no_repr_holds_the_key():
    client = Client(KEY)
    assert KEY not in repr(client) + repr(client.config) + str(vars(client)) + repr(client._transport._auth)


@pytest.mark.parametrize(
    ("given", "base_url"),
    [
        ("https://api.cloudzero.com", "https://api.cloudzero.com"),
        ("https://api.cloudzero.com/", "https://api.cloudzero.com"),
        (" https://cz.example:8443 ", "https://cz.example:8443"),
        ("http://localhost:8900", "http://localhost:8900"),
        ("http://127.0.0.1:8900/", "http://127.0.0.1:8900"),
        ("http://[::1]:8900", "http://[::1]:8900"),
    ],
)
def test_a_base_url_is_scheme_host_and_port(given, base_url):
    assert ClientConfig(KEY, base_url=given).base_url == base_url


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("http://sandbox:8900", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("http://192.168.0.7:8900", "unencrypted"),
        ("ftp://api.cloudzero.com", "not of the form"),
        ("api.cloudzero.com", "not of the form"),
        ("https://", "not of the form"),
        ("https://api.cloudzero.com/v2", "nothing after host and port"),
        ("https://api.cloudzero.com?x=1", "nothing after host and port"),
        (f"https://user:{KEY}@api.cloudzero.com", "password"),
        ("https://host:port", "can't be read"),
    ],
)
def test_other_base_urls_are_refused(given, words):
    with pytest.raises(ConfigurationError, match=words) as error:
        ClientConfig(KEY, base_url=given)
    assert KEY not in str(error.value)


def test_plain_http_to_another_machine_must_be_allowed_and_is_known():
    allowed = ClientConfig(KEY, base_url="http://sandbox:8900", allow_http=True)
    assert allowed.uses_plain_http
    assert not ClientConfig(KEY, base_url="http://127.0.0.1:8900").uses_plain_http
    assert not ClientConfig(KEY).uses_plain_http


@pytest.mark.parametrize(
    "limits",
    [{"timeout": 0}, {"max_retry_seconds": -1}, {"settle_seconds": -0.1}]
    + [{name: value} for name in ("timeout", "max_retry_seconds", "settle_seconds") for value in (float("nan"), 1e12)],
)
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        ClientConfig(KEY, **limits)


@pytest.mark.parametrize("given", ["", "../../v2/insights", "a/b", "a b", "a?b", "a%2Fb", "ü", "x" * 300, 7])
def test_a_connection_id_cannot_lead_elsewhere(given):
    with pytest.raises(ConfigurationError, match="not a valid AnyCost connection id"):
        checked_connection_id(given)


@pytest.mark.parametrize("host", [KEY, f"https://{KEY}/x", f"ftp://{KEY}", f"https://{KEY} {KEY}"])
def test_a_key_in_the_wrong_field_is_not_shown(host):
    with pytest.raises(ConfigurationError) as error:
        ClientConfig(KEY, base_url=host)
    assert KEY not in str(error.value)


def test_what_holds_the_key_can_not_be_pickled():
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(Client(KEY))
