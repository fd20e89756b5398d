"""FOCUS to CBF: tags in each shape that exports have, keys that are there twice, and names of keys."""

from __future__ import annotations

import json
import logging

import polars as pl
import pytest
from support.charges import charge, check, converted, frame_of, problem_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError
from cloudzero_provider.sources import from_records
from cloudzero_provider.sources.typed_frame import to_frame

RESOURCE = {"ResourceType": "vm", "ResourceId": "i-1"}
PREFIX = "resource/tag:"


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)


def as_text(pairs, **options):
    return to_cbf(frame_of(*(charge(Tags=json.dumps(one), **RESOURCE) for one in pairs)), **options)


def as_series(pairs, **options):
    frame = frame_of(*[charge(**RESOURCE)] * len(pairs))
    return to_cbf(frame.with_columns(pl.Series("Tags", pairs)), **options)


def as_array(pairs, **options):
    series = pl.Series("Tags", pairs)
    frame = frame_of(*[charge(**RESOURCE)] * len(pairs))
    return to_cbf(frame.with_columns(series.cast(pl.Array(series.dtype.inner, len(pairs[0])))), **options)


def as_records(pairs, **options):
    return to_cbf(to_frame(from_records([charge(Tags=one, **RESOURCE) for one in pairs])), **options)


@pytest.fixture(params=[as_text, as_series, as_array, as_records])
def convert(request):
    return request.param


def tags_of(frame):
    return [
        {
            name.removeprefix(PREFIX): value
            for name, value in row.items()
            if name.startswith(PREFIX) and value is not None
        }
        for row in frame.rows(named=True)
    ]


class TestPairs:
    @pytest.mark.parametrize(
        ("key", "value", "more"),
        [
            ("key", "value", {}),
            ("Key", "Value", {}),
            ("KEY", "VALUE", {}),
            ("key", "value", {"x_type": "label", "x_inherited": False, "x_namespace": "n/a"}),
            ("Key", "Value", {"name": "other", "ResourceArn": "arn:a"}),
            ("TagKey", "TagValue", {}),
            ("tag_key", "tag_value", {"Scope": "a"}),
            ("Name", "Value", {}),
            ("name", "value", {"id": 7}),
        ],
    )
    def test_are_recognised_by_their_fields(self, convert, key, value, more):
        pairs = [[{key: "team", value: "web"} | more, {key: "env", value: "prod"} | more]] * 2
        assert tags_of(convert(pairs)) == [{"team": "web", "env": "prod"}] * 2

    @pytest.mark.parametrize(
        "pair",
        [
            {"key": "team", "Key": "team", "value": "web"},
            {"key": "team", "value": "web", "Value": "x"},
            {"tagkey": "a", "TagKey": "b", "tagvalue": "c"},
            {"k": "team", "v": "web"},
            {"team": "web", "env": "prod"},
            {"key": "team", "val": "web"},
        ],
    )
    def test_that_are_none_or_not_clear(self, convert, pair):
        with pytest.raises((InvalidRowsError, InputError), match="key"):
            convert([[pair]])

    def test_a_struct_has_a_field_per_key(self):
        assert tags_of(as_series([{"key": "a", "value": "b"}])) == [{"key": "a", "value": "b"}]
        assert tags_of(as_text([{"key": "a", "value": "b"}])) == [{"key": "a", "value": "b"}]

    def test_allocated_tags_are_recognised_alike(self):
        pairs = json.dumps([{"Key": "team", "Value": "web", "more": 1}])
        assert tags_of(to_cbf(frame_of(charge(AllocatedResourceId="a", AllocatedTags=pairs)))) == [{"team": "web"}]
        problem = problem_of(charge(AllocatedResourceId="a", AllocatedTags="[7]"))
        assert (problem.column, problem.value) == ("AllocatedTags", "'[7]'")


def pair(key, value, inherited=None):
    return {"key": key, "value": value} | ({} if inherited is None else {"x_inherited": inherited})


class TestTwice:
    @pytest.mark.parametrize("field", ["x_inherited", "inherited", "Inherited", "is_inherited", "xInherited"])
    @pytest.mark.parametrize(("true", "false"), [(True, False), ("true", "false"), (True, None)])
    def test_the_own_one_wins_over_the_inherited_one(self, convert, field, true, false, caplog):
        own, inherited = (
            {"key": "env", "value": value, field: mark} for value, mark in (("prod", false), ("dev", true))
        )
        assert tags_of(convert([[own, inherited], [inherited, own], [inherited, inherited | {"key": "a"}]])) == [
            {"env": "prod"},
            {"env": "prod"},
            {"env": "dev", "a": "dev"},
        ]
        assert "2 rows with duplicate tag keys in Tags: the one that is not inherited is sent" in caplog.text

    @pytest.mark.parametrize(
        "marks", [(None, None), (False, False), (True, True)], ids=["not marked", "both own", "both inherited"]
    )
    def test_otherwise_the_error_names_the_option(self, convert, marks):
        pairs = [pair("env", value, mark) for value, mark in zip(("prod", "dev"), marks, strict=True)]
        with pytest.raises(InvalidRowsError) as caught:
            convert([pairs, pairs])
        assert [problem.where for problem in caught.value.problems] == ["row 1", "row 2"]
        problem = caught.value.problems[0]
        assert (problem.column, "prod" in problem.value) == ("Tags", True)
        assert problem.rule == (
            "duplicate tag 'env', and the list does not mark one of the two as inherited "
            "(duplicate_tags='first' or 'last' chooses one)"
        )

    def test_rows_with_an_error_are_not_counted_as_sent(self, convert, caplog):
        marked = [pair("env", "prod", False), pair("env", "dev", True)]
        with pytest.raises(InvalidRowsError, match=r"row 2, column 'Tags'.*duplicate tag 'env'"):
            convert([marked, [pair("env", "prod", False), pair("env", "dev", False)]])
        assert "1 row with duplicate tag keys in Tags: the one that is not inherited is sent" in caplog.messages

    @pytest.mark.parametrize(("choice", "expected"), [("first", "1"), ("last", "3")])
    def test_the_user_chooses(self, convert, choice, expected, caplog):
        pairs = [pair("env", value) for value in ("1", "2", "3")]
        assert tags_of(convert([pairs, pairs], duplicate_tags=choice)) == [{"env": expected}] * 2
        assert f"2 rows with duplicate tag keys in Tags: the {choice} that is not inherited" in caplog.text

    @pytest.mark.parametrize(("choice", "expected"), [("first", "2"), ("last", "3")])
    def test_of_own_ones_only(self, convert, choice, expected):
        pairs = [pair("env", "1", True), pair("env", "2", False), pair("env", "3", False), pair("env", "4", True)]
        assert tags_of(convert([pairs], duplicate_tags=choice)) == [{"env": expected}]

    def test_in_an_object(self):
        text = '{"env": "1", "team": "web", "env": "2"}'
        for choice, expected in (("first", "1"), ("last", "2")):
            frame = to_cbf(frame_of(charge(Tags=text, **RESOURCE)), duplicate_tags=choice)
            assert tags_of(frame) == [{"env": expected, "team": "web"}]

    def test_null_is_no_tag(self, convert):
        pairs = [pair("env", None, False), pair("env", "dev", True), pair("a", "b", True)]
        assert tags_of(convert([pairs])) == [{"env": "dev", "a": "b"}]

    def test_other_rows_are_not_touched(self, convert):
        pairs = [[pair("env", "1", False), pair("a", "2", True)], [pair("env", "3", False), pair("env", "4", True)]]
        assert tags_of(convert(pairs)) == [{"env": "1", "a": "2"}, {"env": "3"}]

    def test_nothing_is_said_without(self, convert, caplog):
        convert([[pair("env", "1", True), pair("a", "2", False)]])
        assert "duplicate tag keys" not in caplog.text

    @pytest.mark.parametrize("value", ["newest", "Own", None, True])
    def test_another_choice_is_an_error(self, value):
        with pytest.raises(ConfigurationError, match=r"duplicate_tags is .*: expected one of own, first, last\."):
            converted(charge(), duplicate_tags=value)


class TestNames:
    def test_two_keys_of_one_length_stay_two(self, caplog):
        row = charge(Tags='{"環境": "prod", "部門": "web"}', **RESOURCE)
        frame = to_cbf(frame_of(row))
        tags = tags_of(frame)[0]
        assert sorted(tags.values()) == ["prod", "web"]
        assert {key.removeprefix("xn--").encode().decode("punycode") for key in tags} == {"環境", "部門"}
        assert "set tag_names to choose names" in caplog.text
        check(frame)

    def test_of_the_users_choice(self, caplog):
        [row] = converted(
            charge(Tags='{"環境": "prod", "cost center": "7", "b": "8"}', **RESOURCE),
            tag_names={"環境": "environment", "cost center": "cost-center", "b": "größe", "c": "d"},
        )
        tags = {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}
        assert tags == {"environment": "prod", "cost-center": "7", "größe": "8"}
        assert "does not accept" not in caplog.text
        assert "tag_names contains keys that no row has: 'c'" in caplog.messages

    def test_of_columns(self):
        [row] = converted(charge(部門="web", **RESOURCE), tag_columns=["部門"], tag_names={"部門": "department"})
        assert row["resource/tag:department"] == "web"

    def test_two_that_the_user_makes_one(self):
        problem = problem_of(charge(Tags='{"環境": "1", "b": "2"}', **RESOURCE), tag_names={"環境": "b"})
        assert problem.rule.startswith(
            "the key 'b' of Tags would become resource/tag:b, as does the key '環境' of Tags"
        )

    def test_one_that_is_written_like_another(self):
        problem = problem_of(charge(Tags='{"環境": "1", "xn--0nsp96d": "2"}', **RESOURCE))
        assert problem.rule.endswith("(rename one of them with tag_names={'xn--0nsp96d': ...})")

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (["a"], "tag_names is ['a']: expected a dict of tag keys and the names to send."),
            ("a", "tag_names is 'a': expected a dict of tag keys and the names to send."),
            ({"a": "b c"}, "tag_names names 'a' 'b c': a tag key is letters, digits and _ . : / = + - @"),
            ({"a": ""}, "tag_names names 'a' '': a tag key is"),
            ({"a": None}, "tag_names names 'a' None: a tag key is"),
            ({7: "a"}, "tag_names names 7 'a': a tag key is"),
        ],
    )
    def test_that_can_not_be(self, value, told):
        with pytest.raises(ConfigurationError) as caught:
            converted(charge(), tag_names=value)
        assert str(caught.value).startswith(told)


def as_typed(tags, dtype):
    frame = frame_of(*[charge(**RESOURCE)] * len(tags))
    return to_cbf(frame.with_columns(pl.Series("Tags", tags, dtype=dtype)))


def entry(**fields):
    return pl.List(pl.Struct({"key": pl.String, "value": pl.String, **fields}))


class TestColumnsOfLists:
    @pytest.mark.parametrize("dtype", [pl.Null, pl.List(pl.Null)])
    def test_of_nothing_have_no_tags(self, dtype):
        tags = [None, None] if dtype == pl.Null else [[], None]
        assert tags_of(as_typed(tags, dtype)) == [{}, {}]

    @pytest.mark.parametrize("dtype", [pl.Int8, pl.Binary])
    def test_a_mark_of_another_type_marks_nothing(self, dtype):
        mark = 1 if dtype == pl.Int8 else b"true"
        tags = [{"key": "a", "value": "x", "inherited": mark}, {"key": "b", "value": "y", "inherited": None}]
        assert tags_of(as_typed([tags, []], entry(inherited=dtype))) == [{"a": "x", "b": "y"}, {}]
        twice = [{"key": "a", "value": value, "inherited": mark} for value in "xy"]
        with pytest.raises(InvalidRowsError, match="duplicate tag 'a', and the list does not mark one of the two"):
            as_typed([twice], entry(inherited=dtype))

    def test_text_without_a_mark_is_not_inherited(self):
        own, inherited = (
            {"key": "a", "value": value, "inherited": mark} for value, mark in (("x", None), ("y", "TRUE"))
        )
        assert tags_of(as_typed([[inherited, own]], entry(inherited=pl.String))) == [{"a": "x"}]

    def test_a_list_without_marks_takes_none_for_inherited(self):
        marked = [{"key": "a", "value": value} for value in "xy"]
        with pytest.raises(InvalidRowsError, match="duplicate tag 'a'"):
            as_typed([marked], entry())
        assert tags_of(to_cbf(_frame([marked]), duplicate_tags="last")) == [{"a": "y"}]

    def test_numbers_of_pandas_that_are_missing_are_no_tags(self):
        dtype = pl.List(pl.Struct({"key": pl.String, "value": pl.Float64}))
        tags = [{"key": "a", "value": float("nan")}, {"key": "b", "value": 1.5}]
        assert tags_of(as_typed([tags], dtype)) == [{"b": "1.5"}]

    @pytest.mark.parametrize("name", ["key", "value"])
    def test_a_type_that_is_not_text_names_the_column(self, name):
        fields = {"key": pl.String, "value": pl.String} | {name: pl.List(pl.Int8)}
        tag = {"key": "a", "value": "x"} | {name: [1]}
        with pytest.raises(InputError, match=rf"^Column 'Tags' has the type List\(Int8\) for '{name}': expected text"):
            as_typed([[tag]], pl.List(pl.Struct(fields)))


def _frame(tags):
    return frame_of(*[charge(**RESOURCE)] * len(tags)).with_columns(pl.Series("Tags", tags))


class TestTextOfLists:
    @pytest.mark.parametrize("mark", [True, "true", "True", "TRUE"])
    def test_each_spelling_of_true_marks_an_inherited_tag(self, mark):
        tags = [pair("env", "dev", mark), pair("env", "prod", False), pair("team", "web")]
        assert tags_of(as_text([tags])) == [{"env": "prod", "team": "web"}]

    @pytest.mark.parametrize("mark", [False, "false", "yes", 1, "tRUE"])
    def test_any_other_does_not(self, mark):
        tags = [pair("env", "dev", mark), pair("env", "prod", True)]
        assert tags_of(as_text([tags])) == [{"env": "dev"}]

    def test_a_list_of_two_is_a_tag_of_its_own_beside_a_marked_one(self):
        assert tags_of(as_text([[["env", "prod"], pair("env", "dev", True)]])) == [{"env": "prod"}]

    def test_lists_of_two_do_not_mark(self):
        with pytest.raises(InvalidRowsError, match="duplicate tag 'a'"):
            as_text([[["a", "x"], ["a", "y"]]])

    def test_problems_of_several_kinds_are_all_named(self):
        rows = [[["a", "x"], ["a", "y"]], [7], [["b", "x"], ["b", "y"]], [["c", "z"]]]
        with pytest.raises(InvalidRowsError) as error:
            as_text(rows)
        assert [(problem.where, problem.rule[:17]) for problem in error.value.problems] == [
            ("row 1", "duplicate tag 'a'"),
            ("row 2", "not a list of tag"),
            ("row 3", "duplicate tag 'b'"),
        ]

    def test_keys_and_values_of_other_scripts(self):
        rows = as_text([[["größe", "1"], ["Å", "2"], ["a b", "3"]]])
        assert {"resource/tag:xn--gre-6ka8i", "resource/tag:xn--8ba", "resource/tag:a_b"} <= set(rows.columns)
