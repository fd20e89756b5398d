"""Files as people have them: what CloudZero then holds, or the error and that nothing was sent."""

from __future__ import annotations

import gzip
import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath
from support.tasks import send, send_telemetry

from cloudzero_provider import exceptions as errors

LINES = [
    {"time/usage_start": "2026-03-01", "cost/cost": 1},
    {"time/usage_start": "2026-03-02", "cost/cost": 2},
]
JSON_LINES = "".join(f"{json.dumps(line)}\n" for line in LINES).encode()
CSV = b"time/usage_start,cost/cost\n2026-03-01,10\n2026-03-02,20\n"


def held(sandbox):
    month = sandbox.month("2026-03")
    return month["rows"], month["total_cost"]


def refused(sandbox, words, kind=errors.InputError, **arguments):
    with pytest.raises(kind, match=words) as error:
        send(**arguments)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@pytest.mark.parametrize("name", ["part-00000.json", "part-00000.json.gz"])
def test_json_lines_named_json(sandbox, tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(JSON_LINES) if name.endswith(".gz") else JSON_LINES)
    send(files=str(tmp_path / name))
    assert held(sandbox) == (2, "3")


@pytest.mark.parametrize(
    ("name", "content"), [("1.csv.gz", CSV), ("2.csv", gzip.compress(CSV))], ids=["plain", "zipped"]
)
def test_gzip_in_name_or_in_content_only(sandbox, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    for files in (str(tmp_path / name), f"file://{tmp_path}/{name}"):
        send(files=files)
        assert held(sandbox) == (2, "30")


@pytest.mark.parametrize("separator", ";\t|")
def test_other_separators_and_a_decimal_comma(sandbox, tmp_path, separator):
    path = tmp_path / "bill.csv"
    path.write_text(CSV.decode().replace(",", separator).replace("10", "1.5"))
    send(files=str(path))
    assert held(sandbox) == (2, "21.5")
    sandbox.reset()
    for cost in ("1,5", "1.234,5", "1,234"):
        path.write_text(f"time/usage_start{separator}cost/cost\n2026-03-01{separator}{cost}\n")
        words = rf"bill\.csv, line 2, column 'cost/cost', value '{cost}': not a decimal number"
        refused(sandbox, words, errors.InvalidRowsError, files=str(path))


class TestEqualFiles:
    @pytest.fixture
    def twice(self, tmp_path):
        """A pattern that takes both runs of one export."""
        for run in ("run1", "run2"):
            (tmp_path / run).mkdir()
            (tmp_path / run / "part_0.csv").write_bytes(CSV)
        return str(tmp_path / "run*" / "*.csv")

    def test_are_refused(self, sandbox, twice):
        words = r"run2/part_0\.csv holds the same 2 rows as .*run1/part_0\.csv.*; nothing was sent.*allow_equal_files"
        refused(sandbox, words, files=twice)
        refused(sandbox, words, files=f"file://{twice}")

    @pytest.mark.parametrize("allowed", [True, "True", " true "])
    def test_are_sent_where_the_user_allows_them(self, sandbox, twice, allowed):
        send(files=twice, allow_equal_files=allowed)
        assert held(sandbox) == (4, "60")

    @pytest.mark.parametrize("allowed", ["yes", 1, None, "", "{{ params.allow }}"])
    def test_are_allowed_by_a_switch_and_by_nothing_else(self, sandbox, twice, allowed):
        words = "allow_equal_files is .*: expected True or False, or a template"
        for given in ({"files": twice}, {"records": LINES}):
            refused(sandbox, words, errors.ConfigurationError, **given, allow_equal_files=allowed)

    def test_may_be_without_rows(self, sandbox, tmp_path):
        for name in ("1.csv", "2.csv"):
            (tmp_path / name).write_bytes(CSV.splitlines(keepends=True)[0])
        (tmp_path / "3.csv").write_bytes(CSV)
        send(files=str(tmp_path / "*.csv"))
        assert held(sandbox) == (2, "30")

    def test_of_telemetry(self, sandbox, tmp_path):
        for name in ("1.csv", "2.csv"):
            (tmp_path / name).write_text("timestamp,value,element_name,team\n2026-03-01,5,a,web\n")
        given = {"files": str(tmp_path / "*.csv"), "on_duplicate": "sum"}
        with pytest.raises(errors.InputError, match=r"2\.csv holds the same row as .*1\.csv"):
            send_telemetry(**given)
        assert sandbox.requests() == []
        assert send_telemetry(**given, allow_equal_files="TRUE")["total"] == "10"


def test_lists_in_lists_of_paths_and_uris(sandbox, tmp_path):
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_bytes(CSV.replace(b"10", name[:1].encode()))
    send(files=[[tmp_path / "1.csv"], (ObjectStoragePath(f"file://{tmp_path}/2.csv"), [])])
    assert held(sandbox) == (4, "43")
    send(files=str([[str(tmp_path / "1.csv")], [f"file://{tmp_path}/2.csv"]]))
    assert held(sandbox) == (4, "43")
