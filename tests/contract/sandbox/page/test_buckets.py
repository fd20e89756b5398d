"""Bucket connections on the page."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree

import pytest
from contract.sandbox.buckets.conftest import Bucket, LocalRoot

FIRST, SECOND = "20260401T000000Z", "20260402T000000Z"
ODD = "<script>alert(1)</script>"


@pytest.fixture
def bucket(start, tmp_path):
    root = LocalRoot(tmp_path / "local")
    root.folder.mkdir()
    _, client = start("--bucket", f"local={root.folder}", "--bucket-poll-seconds", "0")
    return Bucket(client, root)


def content(bucket, **query):
    reply = bucket.cloudzero.session.get(f"{bucket.cloudzero.url}/sandbox/page", params=query, timeout=30)
    assert reply.status_code == 200, reply.text[:500]
    return reply.text


def section(text, key="buckets"):
    """A section of the page, whose elements all end where they should."""
    [found] = re.findall(rf'<section id="{key}".*?</section>', text, re.DOTALL)
    # Some attributes have no quotes, which HTML allows and XML doesn't.
    return ElementTree.fromstring(re.sub(r" (class|aria-current)=(\w+)", r' \1="\2"', found))


def words(element):
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def rows(element, caption):
    [table] = [found for found in element.iter("table") if words(found.find("caption")).startswith(caption)]
    return [[words(cell) for cell in row] for row in table.iter("tr")]


def test_a_bucket_without_a_month(bucket):
    shown = words(section(content(bucket)))
    assert (
        shown == f"AnyCost buckets local {bucket.root.folder} No month yet: no folder has a manifest that names a drop."
    )


def test_no_section_without_a_bucket(cloudzero):
    reply = cloudzero.session.get(f"{cloudzero.url}/sandbox/page", timeout=10)
    assert "AnyCost bucket" not in reply.text


def test_months_with_their_drops_and_refusals(bucket):
    bucket.drop(FIRST, [bucket.row("1234.50"), bucket.row("0.25", 2)])
    bucket.drop(SECOND, [bucket.row("x")])
    bucket.put_manifest(b"[]", "20260401-20260501")
    bucket.put_manifest(b"[]", "2026-05")
    bucket.poll()
    shown = section(content(bucket))
    april, march = rows(shown, "Months of the bucket local")[1:]
    assert april == ["2026-04", "0", "0", "", "", "manifest.json is not a JSON object"]
    assert march[:4] == ["2026-03", "2", "1,234.75", FIRST]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", march[4])
    assert march[5] == "part-0.csv.gz, line 2, cost/cost: must be a decimal number, without an exponent"
    assert "refused the folder 2026-05 is not a billing data id" in words(shown)
    history = rows(shown, "What became of the drops of local")[1:]
    assert [(row[2], row[-1].split()[0]) for row in history] == [
        ("", "refused"),
        (SECOND, "refused"),
        (FIRST, "ingested"),
    ]


def test_the_cost_of_a_month_by_day_is_that_of_its_drop(bucket):
    bucket.cloudzero.post([bucket.cloudzero.row("9")])
    bucket.drop(FIRST, [bucket.row("1.5", 4, **{"resource/service": "Compute"}), bucket.row("2", 5)])
    shown = content(bucket)
    assert "Cost by day, 2026-03" in shown
    assert "<title>2026-03-04: 1.5, Compute</title>" in shown
    link = unescape(re.search(r'<tr id="bucket-local-2026-03".*?href="\?([^"]+)"', shown)[1])
    assert link == "stream=local&month=2026-03"
    assert "Cost by day, 2024-08" in content(bucket, stream=bucket.cloudzero.STREAM)
    chosen = content(bucket, stream="local", month="2026-03")
    assert '<optgroup label="AnyCost buckets"><option value="local" selected>local</option></optgroup>' in chosen
    assert '<optgroup label="AnyCost streams">' in chosen


def test_a_root_that_cannot_be_read(bucket):
    bucket.root.folder.rmdir()
    bucket.poll()
    assert "refused" not in words(section(content(bucket)))
    assert "cannot read the storage" in words(section(content(bucket)))


def test_any_text_is_escaped(bucket):
    name = ODD.replace("/", "")
    bucket.drop(name, [bucket.row("1")])
    bucket.drop("next", [bucket.row("1", **{ODD: "1"}), bucket.row(ODD)])
    bucket.put_manifest(b"[]", name)
    bucket.poll()
    text = content(bucket)
    assert ODD not in text
    assert name not in text
    assert words(section(text)).count(name) > 1


def test_a_connection_that_is_not_polled_any_more(start, tmp_path):
    root = LocalRoot(tmp_path / "local")
    sandbox, client = start("--bucket", f"local={root.folder}", "--bucket-poll-seconds", "0")
    Bucket(client, root).drop(FIRST, [Bucket(client, root).row("1")])
    sandbox.end()
    _, client = start()
    shown = words(section(content(Bucket(client, root))))
    assert f"local {root.folder} (not polled: the sandbox was started without it)" in shown


def test_the_page_is_the_same_until_something_is_ingested(bucket):
    bucket.drop(FIRST, [bucket.row("1")])
    url = f"{bucket.cloudzero.url}/sandbox/page"
    tag = bucket.cloudzero.session.get(url, timeout=10).headers["ETag"]
    bucket.poll()
    assert bucket.cloudzero.session.get(url, headers={"If-None-Match": tag}, timeout=10).status_code == 304
    bucket.drop(SECOND, [bucket.row("2")])
    assert bucket.cloudzero.session.get(url, headers={"If-None-Match": tag}, timeout=10).status_code == 200
