from __future__ import annotations

import gzip

import pytest

ROWS = '[{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "1"}]'


def _padded(body, size):
    return body + b" " * (size - len(body))


def _in_chunks(body):
    yield from (body[start : start + 50_000] for start in range(0, len(body), 50_000))


@pytest.mark.parametrize("send", [bytes, _in_chunks])
def test_the_body_limit_is_exact_with_and_without_a_length(cloudzero, send):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'.encode()
    refused = cloudzero.post_raw(send(_padded(body, 5_000_001)))
    assert (refused.status_code, list(refused.json())) == (413, ["message"])
    assert cloudzero.months() == {}
    assert cloudzero.post_raw(send(_padded(body, 5_000_000))).status_code == 200


def test_gzip_is_refused_until_it_is_accepted(cloudzero):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'.encode()
    packed, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    assert cloudzero.post_raw(packed, headers).status_code == 415
    assert cloudzero.months() == {}
    cloudzero.set(gzip="accept")
    assert cloudzero.post_raw(gzip.compress(_padded(body, 5_000_001)), headers).status_code == 413
    assert cloudzero.post_raw(packed[:-5], headers).status_code == 400
    assert cloudzero.post_raw(body, headers).status_code == 400
    assert cloudzero.months() == {}
    assert cloudzero.post_raw(packed, headers).status_code == 200


def test_a_body_must_be_declared_as_json(cloudzero):
    body = f'{{"month": "2024-08", "data": {ROWS}}}'
    assert cloudzero.post_raw(body, {"Content-Type": "text/plain"}).status_code == 415
    cloudzero.set(content_type="accept")
    assert cloudzero.post_raw(body, {"Content-Type": "text/plain"}).status_code == 200


def test_the_body_limit_is_a_setting(cloudzero):
    cloudzero.set(body_limit=100)
    assert cloudzero.post([cloudzero.row(), cloudzero.row()]).status_code == 413
