"""FOCUS exports of the shapes that people have: what CloudZero holds of them."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial

import pytest
from support.tasks import send

from cloudzero_provider.anycost.focus import to_cbf

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MONTH = "2024-09"
CHARGE = {
    "BilledCost": "0.1",
    "EffectiveCost": "0.1",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2024-09-03T05:00:00Z",
}


def held(sandbox, charges, folder, **options):
    """Send charges from a file with an object per line, and read what is held of each."""
    path = folder / "bill.jsonl"
    path.write_text("".join(f"{json.dumps(CHARGE | charge)}\n" for charge in charges), encoding="utf-8")
    send(files=str(path), month=MONTH, transform=partial(to_cbf, **options))
    return by_resource(sandbox)


def by_resource(sandbox):
    rows = list(sandbox.rows(MONTH))
    assert sum(Fraction(row["cost/cost"]) for row in rows) == Fraction(len(rows), 10)
    tags = [{name.split("tag:")[1]: value for name, value in row.items() if "tag:" in name} for row in rows]
    return {row.get("resource/id"): of_row for row, of_row in zip(rows, tags, strict=True)}


def test_a_map_in_parquet(sandbox, tmp_path):
    maps = pa.array([[("user:team", "web")], []], type=pa.map_(pa.string(), pa.string()))
    columns = {name: [value] * 2 for name, value in CHARGE.items()}
    pq.write_table(pa.table(columns | {"ResourceId": ["a", "b"], "Tags": maps}), tmp_path / "bill.parquet")
    send(files=str(tmp_path / "bill.parquet"), month=MONTH, transform=to_cbf)
    assert by_resource(sandbox) == {"resource/a": {"user:team": "web"}, "resource/b": {}}


def test_two_workloads_of_one_host(sandbox, tmp_path):
    host = {"ResourceType": "vm", "ResourceId": "i-1", "Tags": {"cluster": "c"}}
    split = [{"AllocatedResourceId": name, "AllocatedTags": {"team": name}} for name in ("web", "shop")]
    assert held(sandbox, [host | one for one in [*split, {}]], tmp_path) == {
        "vm/i-1|web": {"cluster": "c", "team": "web"},
        "vm/i-1|shop": {"cluster": "c", "team": "shop"},
        "vm/i-1": {"cluster": "c"},
    }


def test_two_projects_without_a_resource(sandbox, tmp_path):
    charges = [{"Tags": {"ProjectId": name, "ProjectName": name.upper()}} for name in ("a", "b")]
    assert held(sandbox, charges, tmp_path, resource_from=["tag:ProjectId"]) == {
        "resource/a": {"ProjectId": "a", "ProjectName": "A"},
        "resource/b": {"ProjectId": "b", "ProjectName": "B"},
    }


def test_own_and_inherited_tags_and_keys_of_other_scripts(sandbox, tmp_path):
    tags = [
        {"Key": "env", "Value": "dev", "x_inherited": True},
        {"Key": "env", "Value": "prod", "x_inherited": False},
        {"Key": "環境", "Value": "1", "x_inherited": False},
        {"Key": "部門", "Value": "2", "x_inherited": True},
    ]
    found = held(sandbox, [{"ResourceId": "a", "Tags": tags}], tmp_path, tag_names={"部門": "department"})
    assert found == {"resource/a": {"env": "prod", "xn--0nsp96d": "1", "department": "2"}}
