"""Every kind of request against every kind of hostile reply: an error of ours, in bounded time and memory."""

from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
import time
import zlib

import pytest
from support.paths import environment
from support.raw_server import answer, raw_server, read_all
from support.sandbox_server import KEY

WRITES = ("send drop", "add to drop", "send telemetry", "add telemetry", "delete stream")
# Seconds are many, since other work on the machine takes its share: what is not cut off would take minutes.
SECONDS, MEGABYTES = 30, 120
LONGEST_FILE = 20_000_000


class HostileClient:
    """The process that ``support.measured_requests`` is."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error::ResourceWarning", "-m", "support.measured_requests"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(MALLOC_ARENA_MAX="2"),
        )

    def __call__(self, behave, *kinds, certificate=None):
        with raw_server(behave, certificate) as url:
            job = {"url": url, "kinds": kinds, "longest_file": LONGEST_FILE}
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.stdin.close()
        assert self._process.wait(20) == 0


@pytest.fixture(scope="module")
def run():
    client = HostileClient()
    yield client
    client.stop()


def harmless(results, megabytes=MEGABYTES):
    """What ended as nothing of ours, took too long, took too much, or shows what it must not."""
    assert not {
        kind: result
        for kind, result in results.items()
        if not result["typed"]
        or result["seconds"] > SECONDS
        or result["megabytes"] > megabytes
        or len(result["words"]) > 4000
        or KEY in result["words"]
        or not result["words"].isprintable()
    }
    return {kind: result["ended"] for kind, result in results.items()}


def only_errors(results, megabytes=MEGABYTES):
    ended = harmless(results, megabytes)
    assert "done" not in ended.values(), ended
    return ended


def replying(reply):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(reply)

    return behave


def endless(start, piece, pause=0.0):
    """Send a beginning, and then the same for ever."""

    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(start)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(piece)
                time.sleep(pause)

    return behave


OK = b"HTTP/1.1 200 OK\r\n"
MEGABYTE_OF_HTML = b"<!doctype html><p>" + b"<div>no</div>" * 80_000
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

# Bodies


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_megabyte_of_html_is_an_error_with_any_status(run, status):
    ended = only_errors(run(replying(answer(status, MEGABYTE_OF_HTML))))
    kinds = {200: "UnexpectedReplyError", 400: "RequestRejectedError"}
    if status in kinds:
        assert {ended[kind] for kind in WRITES} == {kinds[status]}
    else:
        assert {ended["add to drop"], ended["add telemetry"]} == {"AmbiguousWriteError"}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("framing", ["length", "chunked", "until it closes"])
def test_html_without_end_is_read_to_a_limit(run, status, framing):
    start = f"HTTP/1.1 {status} X\r\n".encode()
    piece = MEGABYTE_OF_HTML
    if framing == "length":
        start += b"Content-Length: 500000000\r\n\r\n"
    elif framing == "chunked":
        start += CHUNKED
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    else:
        start += b"\r\n"
    only_errors(run(endless(start, piece)))


@pytest.mark.parametrize("depth", [1000, 100_000])
@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"error":', b"}"), (b'{"data":[', b"]}")])
@pytest.mark.parametrize("status", [200, 400])
def test_json_of_any_depth_does_no_harm(run, status, left, right, depth):
    results = run(replying(answer(status, left * depth + b"1" + right * depth)))
    (only_errors if status == 400 else harmless)(results)
    assert not [kind for kind in results if kind not in WRITES and results[kind]["ended"] == "done"]


@pytest.mark.parametrize("number", [b"9" * 1_000_000, b"1e999999999", b"-1e-999999999", b"NaN", b"-Infinity"])
@pytest.mark.parametrize(
    "shape",
    [
        b'{"billing_drops":[{"month":"2026-03","row_count":%s}],"connections":[{"x":%s}],"drop_id":%s,"row_count":%s}',
        b'{"billing_drop":[{"cost/cost":%s,"a":"%s"}]}',
        b'{"records":[{"timestamp":"%s","value":%s}],"error":%s}',
        b'{"is_valid":%s}',
    ],
)
def test_numbers_out_of_all_bounds_do_no_harm(run, shape, number):
    harmless(run(replying(answer(200, shape.replace(b"%s", number)))))


def bomb():
    """Ten gigabytes of spaces as ten megabytes of gzip: ten megabytes a thousand times, which each stand for itself."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = pack.flush(zlib.Z_FULL_FLUSH)
    block = pack.compress(b" " * 10_000_000) + pack.flush(zlib.Z_FULL_FLUSH)
    return head + block * 1000


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_gzip_bomb_is_not_unpacked_further_than_a_reply_may_be_long(run, status):
    results = run(replying(answer(status, bomb(), None, "Content-Encoding: gzip")))
    ended = harmless(results, 200)
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x" * 5000])
@pytest.mark.parametrize("body", [b"no such thing", b'{"billing_drops":[]}', b"\x1f\x8b\x08\x00" + b"\0" * 500])
def test_a_body_with_a_wrong_content_encoding_is_not_a_valid_reply(run, encoding, body):
    results = run(replying(answer(200, body, None, f"Content-Encoding: {encoding}")))
    ended = harmless(results)
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_truncated_gzip_data_is_not_a_valid_reply(run, cut):
    packed = gzip.compress(b'{"billing_drops":[],"connections":[],"records":[],"is_valid":true}')[:-cut]
    ended = harmless(run(replying(answer(200, packed, None, "Content-Encoding: gzip"))))
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


def test_gzip_data_is_unpacked(run):
    packed = gzip.compress(b'{"billing_drops":[{"month":"2026-03"}],"is_valid":true}')
    results = run(replying(answer(200, packed, None, "Content-Encoding: gzip")), "list drops", "validate drop")
    assert set(harmless(results).values()) == {"done"}


@pytest.mark.parametrize("bom", ["utf-16", "utf-16-le", "utf-32"])
def test_replies_in_another_charset_are_no_error_without_a_type(run, bom):
    body = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode(bom)
    for status in (200, 400):
        only_or_any = only_errors if status == 400 else harmless
        only_or_any(run(replying(answer(status, body, None, "Content-Type: application/json; charset=utf-7"))))


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf<html>", b"\0" * 100_000, b'{"records":"\\ud800"}', b"\xff" * 1000])
def test_replies_that_are_no_text_are_no_error_without_a_type(run, body):
    ended = harmless(run(replying(answer(200, body))))
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"billing_drop":[{"cost/cost":"\\ud800"}]}',
        b'{"billing_drop":[{"\\udfff":"1","a":"\\u0000"}]}',
        b'{"billing_drop":[' + b",".join(b'{"%d":"1","x%d":"2"}' % (n, n) for n in range(60_000)) + b"]}",
        b'{"billing_drop":[{' + b",".join(b'"%d":"1"' % n for n in range(1_000_000)) + b"}]}",
        b'{"billing_drop":[{"a":"' + b"x" * 15_000_000 + b'"}]}',
        b'{"billing_drop":[{"a":"' + b'\\"' * 7_000_000 + b'"}]}',
    ],
    ids=["surrogate", "surrogate as a name", "columns without end", "a row without end", "a text", "quotes"],
)
def test_the_contents_of_a_month_take_no_more_memory_than_a_month(run, body):
    harmless(run(replying(answer(200, body)), "read month"), 400)


# Framing


@pytest.mark.parametrize("pause", [0, 0.2], ids=["at once", "trickling"])
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (OK + CHUNKED, b"1\r\n \r\n"),
        (OK + CHUNKED, b""),
        (OK + CHUNKED, b"0"),
        (OK + CHUNKED + b"5;", b"x" * 1000),
        (OK + CHUNKED + b"0\r\n", b"Trailer: x\r\n"),
        (OK + CHUNKED + b"0\r\nTrailer: ", b"x" * 1000),
        (OK + b"Content-Length: 100000000\r\n\r\n", b" "),
        (OK, b"X-Header: y\r\n"),
        (OK + b"X-Header: ", b"y" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"),
        (b"HTTP/1.1 200 ", b"O"),
        (b"", b"\0"),
    ],
    ids=[
        "chunks", "no chunk", "length of a chunk", "extension of a chunk", "trailers", "a trailer", "body",
        "headers", "a header", "interim", "interim with headers", "status line", "no HTTP",
    ],
)  # fmt: skip
def test_an_endless_reply_times_out(run, start, piece, pause):
    ended = harmless(run(endless(start, piece, max(pause, 0.02 if not piece else 0)), *QUICK))
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


#: One of each way to read an answer.
QUICK = ("send drop", "add telemetry", "validate drop", "list drops", "read month", "test connection", "trigger")


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 3",
        "Content-Length: 5000",
        "Content-Length: -5",
        "Content-Length: 99999999999999999999999999",
        "Content-Length: " + "9" * 6000,
        "Content-Length: \u0661",
        "Content-Length: 20, 21",
        "Content-Length: 20\r\nContent-Length: 21",
        "Content-Length: 20\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "\r\n".join(f"X-{number}: y" for number in range(10_000)),
        f"X: {'y' * 1_000_000}",
        "no header at all",
        ": nameless",
        "\u00ff\u00fe: \u00ff",
        f"Broken {KEY}\r\n  folded: {KEY}",
        "Content-Type: ;;;=;charset=;charset*=x''%ff",
        "Set-Cookie: a=b; expires=Fri, 99 Foo 99999 99:99:99 GMT; max-age=9999999999999999999999; domain=..",
        "Retry-After: -5",
    ],
)
def test_headers_of_any_kind_do_no_harm(run, headers):
    reply = OK + headers.encode() + b"\r\n\r\n" + b'{"message":"no list"}'
    ended = harmless(run(replying(reply), *QUICK))
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


@pytest.mark.parametrize(
    "chunks",
    [
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"-1\r\n" + b"x" * 100_000,
        b"ffffffffffffffffffff\r\nx",
        b"0x5\r\nhello\r\n",
        b"zz\r\n",
    ],
    ids=["-5", "-1", "huge", "0x", "zz"],
)
def test_chunks_of_no_length_do_no_harm(run, chunks):
    ended = harmless(run(replying(OK + CHUNKED + chunks)))
    assert not [kind for kind in ended if kind not in WRITES and ended[kind] == "done"]


def test_a_chunk_of_less_than_nothing_is_not_read_to_the_end_of_the_connection(run):
    harmless(run(endless(OK + CHUNKED + b"-1\r\n", b"x" * 1_000_000)))


@pytest.mark.parametrize(
    "reply",
    [b"hello\n", b"HTTP/1.1 99999 X\r\n\r\n", b"HTTP/1.1 -1 X\r\n\r\n", b"\x16\x03\x01", b""],
)
def test_a_reply_that_is_not_http_is_not_valid(run, reply):
    only_errors(run(replying(reply)))


def test_http_1_0_is_read_until_it_closes(run):
    results = run(replying(b"HTTP/1.0 200 OK\r\n\r\n" + b'{"billing_drops":[{"month":"2026-03"}]}'), "list drops")
    assert harmless(results) == {"list drops": "done"}


# What is said of it


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Stream is locked"}},
        {"error": "Stream is locked"},
        {"errors": ["Stream is locked"]},
        {"error": {"message": "Stream is locked"}, "billing_drops": [], "records": [], "connections": []},
        {"error": {"message": "Stream is locked"}, "is_valid": True},
    ],
)
def test_a_success_with_an_error_inside_is_none_for_any_request(run, body):
    ended = only_errors(run(replying(answer(200, json.dumps(body).encode()))))
    assert {ended[kind] for kind in WRITES} == {"UnexpectedReplyError"}


def test_a_list_of_errors_is_not_taken_for_a_stream_that_holds_nothing(run):
    body = b'{"message":"Stream is locked","errors":[]}'
    ended = harmless(run(replying(answer(200, body)), "list drops", "list connections", "processed records"))
    assert set(ended.values()) == {"UnexpectedReplyError"}


@pytest.mark.parametrize("status", [200, 400, 403, 404, 413, 429, 500, 503])
def test_the_text_of_a_reply_cannot_forge_a_log_line(run, status):
    words = "one\r\n2026-01-01 ERROR two\x1b[2J\x9b31m\u2028three\u202efour\0"
    body = {"error": {"message": words, "type": words, "details": [words]}, "is_valid": False, "errors": [words]}
    only_errors(run(replying(answer(status, json.dumps(body).encode()))))


@pytest.mark.parametrize("location", ["https://elsewhere.example/", "file:///etc/passwd", "/", "//[", "\r\n"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_by_any_request(run, status, location):
    seen = []

    def behave(connection, head):
        seen.append(head.split(b"\r\n")[0])
        read_all(connection, head)
        connection.sendall(answer(status, b"", 400_000_000, f"Location: {location}"))

    results = run(behave)
    ended = only_errors(results)
    assert {ended[kind] for kind in ended if kind not in ("test connection", "trigger")} == {"RequestRejectedError"}
    assert len(seen) == len(ended)
