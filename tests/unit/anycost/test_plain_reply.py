"""The fast parser reads what is documented, and nothing differently from the parser for any reply."""

from __future__ import annotations

import io
import json
import random
from types import SimpleNamespace

import pytest
from support.rows import MARCH

from cloudzero_provider.anycost import plain_reply
from cloudzero_provider.anycost.month_reply import rows_of
from cloudzero_provider.anycost.plain_reply import NotPlainError, plain_rows_of
from cloudzero_provider.anycost.readback import read_month
from cloudzero_provider.exceptions import UnexpectedReplyError

ROWS = [
    {"cost/cost": "1.50", "resource/id": 'a "b" \\ },{ ]}', "resource/tag:ü": "\u2028\n\x00é😀"},
    {"cost/cost": ""},
    {"a": "x" * 40, "b": "y"},
]


def plain(reply: bytes):
    """The rows; ``None`` if they are left to the other parser."""
    try:
        return list(plain_rows_of(io.BytesIO(reply)))
    except NotPlainError:
        return None


def any_reply(reply: bytes):
    try:
        return list(rows_of(io.BytesIO(reply)))
    except UnexpectedReplyError:
        return "an error"


@pytest.mark.parametrize("block", [1, 2, 3, 7, 20, 64, 1000])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
def test_documented_replies_are_read_in_blocks_of_any_size(monkeypatch, block, ascii_only, indent):
    # Rows longer than a block are left to the other parser, so its size is only that of what is read at once.
    monkeypatch.setattr(plain_reply, "_blocks", lambda file: in_blocks(file.read().decode(), block))
    for rows in (ROWS, ROWS[:1], []):
        reply = json.dumps({"billing_drop": rows}, ensure_ascii=ascii_only, indent=indent).encode()
        assert plain(reply) == any_reply(reply) == rows


def test_rows_of_about_the_size_of_a_block_are_read(monkeypatch):
    monkeypatch.setattr(plain_reply, "_BLOCK", 50)
    # The first row is longer than what is left of the block, ends where it ends, or is shorter.
    for first, second in ((32, 20), (25, 52), (20, 30)):
        rows = [{"a": "x" * first}, {"b": "y" * second}, {"c": "z"}, {"d": "z"}]
        reply = json.dumps({"billing_drop": rows}, separators=(",", ":"))
        assert plain(reply.encode()) == rows
    assert plain(json.dumps({"billing_drop": [{"a": "x" * 150}]}).encode()) is None


@pytest.mark.parametrize("value", ['"1"', "1", "1.0"])
def test_a_month_is_read_by_either_parser(value):
    def download_month(stream, month, file):
        assert (stream, month) == ("stream-1", "2026-03")
        file.write(b'{"billing_drop":[{"resource/id":"a"},{"cost/cost":%b}]}' % value.encode())

    found = read_month(SimpleNamespace(download_month=download_month), "stream-1", MARCH)
    assert found.to_dicts() == [
        {"cost/cost": None, "resource/id": "a"},
        {"cost/cost": value.strip('"'), "resource/id": None},
    ]


def in_blocks(text: str, size: int):
    yield text[:40]
    yield from (text[start : start + size] for start in range(40, len(text), size))
    yield ""


def test_null_is_left_out():
    assert plain(b'{"billing_drop":[{"a":null,"b":"x"}]}') == [{"b": "x"}]


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"[]",
        b'{"billing_drop":[{"a":"x"}]',
        b'{"billing_drop":[{"a":"x"}],"more":1}',
        b'{"billing_drop":[{"a":"x"}]}}',
        b'{"billing_drop":[{"a":"x"},]}',
        b'{"billing_drop":[,{"a":"x"}]}',
        b'{"billing_drop":[{"a":"x"} {"b":"x"}]}',
        b'{"billing_drop":[{"a":"x"},["x"]]}',
        b'{"billing_drop":[{"a":"x"},null]}',
        b'{"billing_drop":["x"]}',
        b'{"billing_drop":[{}]}',
        b'{"billing_drop":[{"a":null}]}',
        b'{"billing_drop":[{"a":1}]}',
        b'{"billing_drop":[{"a":1.5}]}',
        b'{"billing_drop":[{"a":NaN}]}',
        b'{"billing_drop":[{"a":true}]}',
        b'{"billing_drop":[{"a":["x"]}]}',
        b'{"billing_drop":[{"a":{"b":"x"}}]}',
        b'{"billing_drop":[{"a":"x\n"}]}',
        b'{"billing_drop":[{"a":"\xff"}]}',
        b'{"billing_drops":[{"a":"x"}]}',
        b'{"billing_drop":{"billing_drop":[{"a":"x"}]}}',
        b'{"billing_drop":[' + b'{"a":' * 100_000,
        b'{"billing_drop":[{"a":"' + b"x" * 3_000_000 + b'"}]}',
        b'\xef\xbb\xbf{"billing_drop":[{"a":"x"}]}',
        b'{"billing_drop":[{"a":"x"}]}\xc3',
    ],
)
def test_everything_else_is_left_to_the_other_parser(reply):
    assert plain(reply) is None


def test_damaged_replies_are_never_read_differently():
    draw = random.Random(20260301)
    reply = json.dumps({"billing_drop": ROWS}).encode()
    damaged = 0
    for _ in range(3_000):
        at, length = draw.randrange(len(reply)), draw.choice((0, 1, 1, 2, 9))
        inserted = bytes(draw.choice(b'{}[]",:\\ \n1ax\xc3') for _ in range(draw.choice((0, 0, 1, 2))))
        other = reply[:at] + inserted + reply[at + length :]
        found = plain(other)
        # Half of a surrogate pair is an error when the rows become columns.
        is_error = found is not None and any("\ud800" <= c <= "\udfff" for c in json.dumps(found, ensure_ascii=False))
        assert found is None or is_error or found == any_reply(other)
        damaged += found is None
    assert 500 < damaged < 2_950
