"""The documentation of FOCUS to CBF says what the code does."""

from __future__ import annotations

import ast
import inspect
import re

import polars as pl
import pytest
from support.charges import charge, converted, frame_of
from support.paths import ROOT

from cloudzero_provider.anycost.columns import COLUMNS, TAG_PREFIX
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.anycost.focus.mapping import (
    COPIED_FROM,
    DERIVED_FROM,
    FOCUS_COLUMNS,
    MAPPING_VERSION,
    OLDER_NAMES,
    REQUIRED,
)
from cloudzero_provider.anycost.focus.versions import NEWEST, VERSIONS, columns_of

PAGE = (ROOT / "docs" / "focus-to-cbf.md").read_text(encoding="utf-8")
#: Columns of CBF that the page tells why FOCUS has nothing for.
WITHOUT_FOCUS = {"cost/discounted_cost", "lineitem/id"}
BLOCKS = re.findall(r"^( *)```python\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)


def section(title):
    [text] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return text


def table(title):
    """The rows of the first table of a section, as lists of cells."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_has_the_sources_of_each_column():
    told = {names(cbf)[0]: set(names(focus)) for cbf, focus, _ in table("The table") if names(cbf)}
    assert {cbf: focus for cbf, focus in told.items() if focus} == {
        cbf: set(focus) for cbf, focus in (COPIED_FROM | DERIVED_FROM).items()
    }
    assert {cbf for cbf, focus in told.items() if not focus} == WITHOUT_FOCUS
    assert set(told) <= {*COLUMNS, TAG_PREFIX}


def test_the_table_names_each_focus_column_that_is_read():
    assert {name for _, focus, _ in table("The table") for name in names(focus)} == set(FOCUS_COLUMNS)


def test_what_the_table_lists_first_is_taken_first():
    for cbf, focus, rule in table("The table"):
        if rule.startswith("the first that has a value") and names(cbf)[0] in COPIED_FROM:
            assert tuple(names(focus)) == COPIED_FROM[names(cbf)[0]]


def test_each_column_of_the_table_comes_out():
    row = dict.fromkeys(FOCUS_COLUMNS, "1")
    row |= charge(ChargePeriodEnd="2024-09-19", Tags='{"a": "1"}', AllocatedTags='{"b": "1"}', x_Id="7")
    out = converted(row, lineitem_id_column="x_Id")[0]
    told = {names(cbf)[0] for cbf, _, _ in table("The table") if names(cbf)}
    assert {TAG_PREFIX if name.startswith(TAG_PREFIX) else name for name in out} == told - {"cost/discounted_cost"}


def test_older_names():
    assert {names(now)[0]: names(older)[0] for older, now in table("Versions")} == OLDER_NAMES


@pytest.mark.parametrize("version", VERSIONS)
def test_each_column_of_each_version_is_documented(version):
    left_out = {name for cell, _, why in table("Columns that are left out") for name in names(cell) + names(why)}
    assert not left_out & (set(FOCUS_COLUMNS) | set(OLDER_NAMES.values()))
    assert columns_of(version) <= left_out | set(FOCUS_COLUMNS) | set(OLDER_NAMES.values())


def test_the_newest_version():
    assert f"turns it, 1.0 to {NEWEST}, into rows" in PAGE


def test_the_version():
    assert section("The table").strip().startswith(f"Version {MAPPING_VERSION}. ")


def test_the_required_columns():
    [told] = re.findall(r"log names them\. (.*?) must be there", section("The table"))
    assert tuple(names(told)) == REQUIRED


def test_the_options():
    told = {
        names(option)[0]: ast.literal_eval(names(default)[0].replace("\\|", "|"))
        for option, default, _ in table("Options")
    }
    parameters = inspect.signature(to_cbf).parameters.values()
    assert told == {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def test_the_docstring_names_each_option():
    told = re.findall(r":param (\w+):", to_cbf.__doc__)
    assert told == list(inspect.signature(to_cbf).parameters)


def test_the_other_values_of_options_are_taken():
    for option, _, text in table("Options"):
        for value in re.findall(r'^or `"([^`]+)"`', text):
            assert to_cbf(frame_of(charge()), **{names(option)[0]: value}).height == 1


def test_the_line_item_types():
    for category, text in table("Line item types"):
        assert converted(charge(ChargeCategory=category))[0]["lineitem/type"] == names(text)[0]


def test_the_resource_ids():
    for resource_type, resource_id, written in table("Resources"):
        [row] = converted(charge(ResourceType=resource_type, ResourceId=names(resource_id)[0]))
        assert row["resource/id"] == names(written)[0].replace("\\|", "|")


@pytest.mark.parametrize(
    "code",
    [inspect.cleandoc("\n" + text) for _, text in BLOCKS],
    ids=["a DAG", "a resource made", "tags named", "tags renamed"],
)
def test_the_code_compiles(code):
    compile(code, "focus-to-cbf.md", "exec")


def test_the_split_charges():
    for resource_type, resource_id, allocated, written in table("Split charges"):
        allocated_id = names(allocated)[0] if names(allocated) else None
        [row] = converted(
            charge(ResourceType=resource_type, ResourceId=names(resource_id)[0], AllocatedResourceId=allocated_id)
        )
        assert row["resource/id"] == names(written)[0].replace("\\|", "|")


def transform_of(word):
    [code] = [inspect.cleandoc("\n" + text) for _, text in BLOCKS if word in text]
    scope = {}
    exec(code, scope)
    return scope["transform"]


def test_the_example_makes_a_resource():
    frame = frame_of(charge(ServiceName="Function Duration", Tags='{"ProjectId": "prj_1"}'))
    [row] = transform_of("resource_from=")(frame).rows(named=True)
    assert row["resource/id"] == "resource/Function Duration|prj_1"
    assert f"# {row['resource/id']}" in PAGE


def test_the_example_names_tags():
    frame = frame_of(charge(ResourceId="a", Tags='{"環境": "1", "cost center": "2", "größe": "3"}'))
    [row] = transform_of("tag_names=")(frame).rows(named=True)
    assert row["resource/tag:environment"] == "1"
    assert row["resource/tag:old_cost_center"] == "2"
    assert row["resource/tag:xn--gre-6ka8i"] == "3"
    assert "`größe` as `xn--gre-6ka8i`" in PAGE


def test_the_example_renames_a_tag():
    [code] = [inspect.cleandoc("\n" + text) for _, text in BLOCKS if "rename_tags" in text]
    scope = {}
    exec(code, scope)
    frame = frame_of(charge(Tags='{"cost center": "1", "cost_center": "2"}', ResourceId="a"))
    for function in scope["transform"]:
        frame = function(frame)
    assert isinstance(frame, pl.DataFrame)
    tags = {name: frame[name].to_list() for name in frame.columns if name.startswith(TAG_PREFIX)}
    assert tags == {"resource/tag:cost_center": ["2"], "resource/tag:old_cost_center": ["1"]}
