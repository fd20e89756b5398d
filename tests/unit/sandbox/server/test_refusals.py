"""The words of a refusal, whatever its shape."""

from __future__ import annotations

import pytest

from cloudzero_provider.sandbox.http.replies import bytes_reply, json_reply
from cloudzero_provider.sandbox.server.refusals import message_of


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Forbidden"}, "Forbidden"),
        ({"error": {"message": "no", "type": "InvalidDrop"}}, "no"),
        ({"error": {"message": "bad", "errors": [{"error_message": "a"}, {"x": 1}, 3, "b"]}}, "bad; a; b"),
        ({"error": {"message": "bad", "details": ["a"]}}, "bad; a"),
        ({"error": {"message": "bad", "event_details": {"k": [1]}}}, 'bad; {"k": [1]}'),
        ({"error": "text"}, '{"error": "text"}'),
        ({"message": 3}, '{"message": 3}'),
        ([1], "[1]"),
    ],
)
def test_json(body, words):
    assert message_of(json_reply(400, body)) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"<html>busy</html>", "<html>busy</html>"),
        (b"\xff", "\ufffd"),
        (b"[" * 50_000, "[" * 1000 + "…"),
        (b'{"message": "%s"}' % (b"x" * 200_000), '{"message": "' + "x" * 987 + "…"),
    ],
)
def test_other_bodies(body, words):
    assert message_of(bytes_reply(500, body)) == words
