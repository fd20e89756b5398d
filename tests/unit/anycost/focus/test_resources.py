"""FOCUS to CBF: resources and their tags."""

from __future__ import annotations

import json
import logging

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st
from support.charges import charge, check, converted, frame_of, problem_of, problems_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InputError, InvalidRowsError

NO_LIST = 'not a list of tags, like [{"key": "team", "value": "web"}]'
RESOURCE = {"ResourceType": "vm", "ResourceId": "i-1"}


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)


def twice(key):
    return (
        f"duplicate tag {key!r}, and the list does not mark one of the two as inherited "
        "(duplicate_tags='first' or 'last' chooses one)"
    )


def tags_of(*charges, **options):
    return [
        {name.removeprefix("resource/tag:"): value for name, value in row.items() if name.startswith("resource/tag:")}
        for row in converted(*charges, **options)
    ]


class TestResourceId:
    @pytest.mark.parametrize(
        ("resource_type", "resource_id", "expected"),
        [
            ("bucket", "logs", "bucket/logs"),
            ("bucket", "arn:aws:s3:::logs/a", "bucket/arn|aws|s3|||logs|a"),
            ("Virtual machine", "/subscriptions/64e3/vm", "Virtual machine/|subscriptions|64e3|vm"),
            ("Microsoft.Compute/disks", "d", "Microsoft.Compute|disks/d"),
            ("AWS::S3::Bucket", "b", "AWS||S3||Bucket/b"),
            ("NULL", "arn:aws:sqs:q", "resource/arn|aws|sqs|q"),
            ("bucket", "NULL", None),
            (None, "", None),
        ],
    )
    def test_is_type_and_id(self, resource_type, resource_id, expected):
        [row] = converted(charge(ResourceType=resource_type, ResourceId=resource_id))
        assert row.get("resource/id") == expected

    @pytest.mark.parametrize("separator", ["_", ".", "$", "\\", "0"])
    def test_separator(self, separator):
        [row] = converted(charge(ResourceType="a:b", ResourceId="c/d"), id_separator=separator)
        assert row["resource/id"] == f"a{separator}b/c{separator}d"

    def test_the_documented_examples(self):
        rows = converted(
            charge(ResourceType="bucket", ResourceId="arn:aws:s3:::logs"),
            charge(ResourceId="i-0123"),
            charge(ResourceType="Virtual machine", ResourceId="/subscriptions/64e3/vm-1"),
        )
        assert [row["resource/id"] for row in rows] == [
            "bucket/arn|aws|s3|||logs",
            "resource/i-0123",
            "Virtual machine/|subscriptions|64e3|vm-1",
        ]

    def test_those_without_a_type_are_counted(self, caplog):
        converted(charge(ResourceId="a"), charge(ResourceId="a"), charge(), charge(**RESOURCE))
        assert "2 rows with a resource but no ResourceType: sent as resource/…" in caplog.text

    def test_two_that_would_become_one(self):
        problem = problem_of(
            charge(ResourceType="vm", ResourceId="a:b"),
            charge(ResourceType="vm", ResourceId="a:b"),
            charge(ResourceType="vm", ResourceId="a/b"),
            charge(ResourceType="vm", ResourceId="a/b"),
        )
        assert str(problem) == (
            "row 3, column 'ResourceId': ResourceType 'vm' with ResourceId 'a/b' would become the resource/id 'vm/a|b', as "
            "does ResourceType 'vm' with ResourceId 'a:b' of row 1: two resources would be one in CloudZero (use "
            "another id_separator for ':' and '/')"
        )

    def test_no_type_and_the_word_that_stands_for_it(self):
        problem = problem_of(charge(ResourceId="a"), charge(ResourceType="resource", ResourceId="a"))
        assert "ResourceType 'resource' with ResourceId 'a'" in problem.rule
        assert "as does ResourceType None with ResourceId 'a' of row 1" in problem.rule

    def test_another_separator_helps(self):
        charges = [charge(ResourceId="a|b"), charge(ResourceId="a:b")]
        assert len(problems_of(*charges)) == 1
        assert [row["resource/id"] for row in converted(*charges, id_separator="~")] == ["resource/a|b", "resource/a~b"]

    def test_capital_and_small_letters_stay_different(self):
        rows = converted(charge(ResourceId="/RG/a"), charge(ResourceId="/rg/a"))
        assert [row["resource/id"] for row in rows] == ["resource/|RG|a", "resource/|rg|a"]

    parts = st.one_of(st.none(), st.text("ab:/|_", min_size=1, max_size=4), st.just("resource"))

    @settings(max_examples=60)
    @given(st.lists(st.tuples(parts, parts), min_size=1, max_size=8), st.sampled_from("|_"))
    def test_two_resources_never_become_one(self, pairs, separator):
        charges = [charge(ResourceType=resource_type, ResourceId=resource_id) for resource_type, resource_id in pairs]
        try:
            rows = converted(*charges, id_separator=separator)
        except InvalidRowsError:
            return
        ids = {pair: row.get("resource/id") for pair, row in zip(pairs, rows, strict=True)}
        with_id = {pair: written for pair, written in ids.items() if pair[1] is not None}
        assert len(set(with_id.values())) == len(with_id)
        assert all(written.count("/") == 1 and ":" not in written for written in with_id.values())
        assert all(ids[pair] is None for pair in ids if pair[1] is None)

    @settings(max_examples=60)
    @given(st.lists(st.tuples(parts, parts.filter(bool)), min_size=1, max_size=5, unique=True))
    def test_only_what_collides_is_refused(self, pairs):
        charges = [charge(ResourceType=resource_type, ResourceId=resource_id) for resource_type, resource_id in pairs]
        names = [(kind or "resource", name) for kind, name in pairs]
        written = {(kind.replace(":", "/"), name.replace(":", "/")) for kind, name in names}
        written = {(kind.replace("/", "|"), name.replace("/", "|")) for kind, name in written}
        if len(written) == len(pairs):
            assert len(converted(*charges)) == len(pairs)
        else:
            assert len(problems_of(*charges)) == len(pairs) - len(written)


class TestTagValues:
    def test_of_each_kind(self):
        text = '{"a": "x", "t": true, "f": false, "i": 7, "d": 1.50, "e": 1e400, "z": null, "NULL": "NULL", "big": 123456789012345678901234567890}'
        assert tags_of(charge(Tags=text, **RESOURCE)) == [
            {
                "a": "x",
                "t": "true",
                "f": "false",
                "i": "7",
                "d": "1.50",
                "e": "1e400",
                "NULL": "NULL",
                "big": "123456789012345678901234567890",
            }
        ]

    def test_each_row_has_its_own(self):
        given = ['{"a": "1"}', '{"b": "2", "a": "3"}', "NULL", "{}", "null", ' {"a":"1"} ', '{"a": "1"}']
        rows = tags_of(*(charge(Tags=text, **RESOURCE) for text in given))
        assert rows == [{"a": "1"}, {"a": "3", "b": "2"}, {}, {}, {}, {"a": "1"}, {"a": "1"}]

    @pytest.mark.parametrize(
        "text",
        [
            '[["a", "x"], ["b", 7], ["c", null]]',
            '[{"key": "a", "value": "x"}, {"value": 7, "key": "b"}, {"key": "c", "value": null}]',
        ],
        ids=["a map in pandas", "a map in JSON lines or a query"],
    )
    def test_a_list_of_pairs(self, text):
        given = [charge(Tags=tags, **RESOURCE) for tags in (text, "[]")]
        assert tags_of(*given) == [{"a": "x", "b": "7"}, {}]

    def test_many_different_ones(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.anycost.focus.tag_json._BLOCK", 7)
        given = [{"n": str(number), f"k{number % 5}": "x"} for number in range(50)] * 2
        assert tags_of(*(charge(Tags=json.dumps(tags), **RESOURCE) for tags in given)) == given

    def test_empty_text_is_left_out_and_counted(self, caplog):
        assert tags_of(*[charge(Tags='{"a": "", "b": "x"}', **RESOURCE)] * 3) == [{"b": "x"}] * 3
        assert "3 rows with an empty value for the key 'a' of Tags" in caplog.text

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("team=web", 'not a JSON object, like {"team": "web"}'),
            ('{"team": "web"', 'not a JSON object, like {"team": "web"}'),
            ("['team']", 'not a JSON object, like {"team": "web"}'),
            ('["team"]', NO_LIST),
            ('"team"', 'not a JSON object, like {"team": "web"}'),
            ("7", 'not a JSON object, like {"team": "web"}'),
            ('[["team"]]', NO_LIST),
            ('[[null, "web"]]', NO_LIST),
            ('[{"team": "web"}]', NO_LIST),
            ('[{"key": "team", "Key": "team", "value": "web"}]', NO_LIST),
            ('[{"key": "team", "value": "web", "Value": "x"}]', NO_LIST),
            ('[{"key": null, "value": "web"}]', NO_LIST),
            ('[["a", "1"], ["a", "2"]]', twice("a")),
            ('[["a", ["1"]]]', "the value of the tag 'a' is nested: expected text, a number, true, false or null"),
            ('{"a": NaN}', 'not a JSON object, like {"team": "web"}'),
            ("[" * 100_000, 'not a JSON object, like {"team": "web"}'),
            ('{"a": {"b": "c"}}', "the value of the tag 'a' is nested: expected text, a number, true, false or null"),
            ('{"a": []}', "the value of the tag 'a' is nested: expected text, a number, true, false or null"),
            ('{"a": "1", "a": "2"}', twice("a")),
            ('{"a": "1", "b": null, "b": "", "b": "2"}', twice("b")),
            (r'{"a": "\ud800"}', "not valid Unicode text"),
            (r'{"\udfff": "a"}', "not valid Unicode text"),
        ],
    )
    def test_that_can_not_be(self, text, rule):
        problem = problem_of(charge(**RESOURCE), charge(Tags=text, **RESOURCE))
        assert (problem.where, problem.column, problem.rule) == ("row 2", "Tags", rule)
        assert problem.value.startswith(repr(text)[:50])

    def test_each_row_of_a_bad_text_is_one(self):
        problems = problems_of(*(charge(Tags=text) for text in ("[", "{}", "[", "{")))
        assert [problem.where for problem in problems] == ["row 1", "row 3", "row 4"]

    @pytest.mark.parametrize("text", [r'{"a": "\u00e9\ud83d\ude00"}', '{"a": "é😀"}'])
    def test_unicode(self, text):
        assert tags_of(charge(Tags=text, **RESOURCE)) == [{"a": "é😀"}]


class TestTagKeys:
    def test_characters_that_cloudzero_accepts_stay(self):
        key = "aZ09_.:/=+-@"
        assert tags_of(charge(Tags=json.dumps({key: "x"}), **RESOURCE)) == [{key: "x"}]

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            (" org", "_org"),
            ("Cost department", "Cost_department"),
            ("größe", "xn--gre-6ka8i"),
            ("a\tb,c", "a_b_c"),
            ("é😀", "xn--9ca2767w"),
            ("環境", "xn--0nsp96d"),
            ("Größe der VM", "xn--Gre_der_VM-63a9y"),
            ("команда:a", "xn--:a-6kcat8aojg"),
            ("a\u3000b", "a_b"),
            ("e\u0301", "xn--9ca"),
        ],
    )
    def test_others_become_an_underscore(self, key, expected, caplog):
        charges = charge(Tags=json.dumps({key: "x"}), **RESOURCE)
        assert tags_of(charges) == [{expected: "x"}]
        assert (
            f"Renamed tag keys with characters that CloudZero does not accept: {key!r} to resource/tag:{expected}"
            in caplog.text
        )
        check(to_cbf(frame_of(charges)))

    def test_nothing_is_said_when_none_is_changed(self, caplog):
        tags_of(charge(Tags='{"a": "x"}', **RESOURCE))
        assert "does not accept" not in caplog.text

    def test_two_that_would_become_one_in_a_row(self):
        assert str(problem_of(charge(), charge(Tags='{"a b": "1", "a_b": "2"}', **RESOURCE))) == (
            "row 2, column 'Tags': the key 'a_b' of Tags would become resource/tag:a_b, as does the key 'a b' of Tags: two "
            "tags would be one in CloudZero (rename one of them with tag_names={'a_b': ...})"
        )

    def test_two_that_would_become_one_in_two_rows(self):
        problem = problem_of(
            charge(Tags='{"a b": "1"}', **RESOURCE), charge(**RESOURCE), charge(Tags='{"a,b": "1"}', **RESOURCE)
        )
        assert problem.where == "row 3"
        assert "the key 'a,b' of Tags would become resource/tag:a_b, as does the key 'a b' of Tags" in problem.rule

    def test_keys_that_have_no_value_anywhere_do_not_matter(self):
        assert tags_of(charge(Tags='{"a b": null, "a,b": "", "a_b": "1"}', **RESOURCE)) == [{"a_b": "1"}]

    def test_capital_and_small_letters_are_two_keys(self):
        assert tags_of(charge(Tags='{"Team": "1", "team": "2"}', **RESOURCE)) == [{"Team": "1", "team": "2"}]

    def test_many_different_tags_are_read_part_by_part(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.anycost.focus.tag_json._BLOCK", 2)
        tags = [{"a": str(number)} for number in range(5)] * 2
        assert tags_of(*(charge(Tags=json.dumps(tag), **RESOURCE) for tag in tags)) == tags

    def test_the_log_names_keys_in_the_order_of_the_rows(self, caplog):
        keys = [f"key {number}" for number in range(50)]
        tags_of(*(charge(Tags=json.dumps({key: "x"}), **RESOURCE) for key in keys))
        named = ", ".join(f"{key!r} to resource/tag:{key.replace(' ', '_')}" for key in keys)
        assert caplog.messages.count(f"Renamed tag keys with characters that CloudZero does not accept: {named}") == 1

    def test_an_empty_key(self):
        assert str(problem_of(charge(), charge(Tags='{"": "1"}'))) == "row 2, column 'Tags': a tag needs a key"

    @pytest.mark.parametrize("key", ["row", "key", "value", "tags", "^.*$", "*", "resource/id"])
    def test_a_key_is_never_taken_for_something_else(self, key):
        charges = [charge(Tags=json.dumps({key: "x", "b": "y"}), **RESOURCE), charge(Tags='{"b": "z"}', **RESOURCE)]
        written = key.translate(str.maketrans("^*$", "___"))
        assert tags_of(*charges) == [{written: "x", "b": "y"}, {"b": "z"}]


class TestTagsWithoutResource:
    def test_are_left_out_and_counted(self, caplog):
        tagged = charge(Tags='{"a": "1"}')
        assert tags_of(tagged, tagged, charge(Tags="{}"), tagged | RESOURCE) == [{}, {}, {}, {"a": "1"}]
        assert "2 rows with tags but no ResourceId: the tags are left out" in caplog.text

    def test_nothing_is_said_when_there_are_none(self, caplog):
        tags_of(charge(), charge(Tags='{"a": ""}'), charge(Tags='{"a": "1"}', **RESOURCE))
        assert "no ResourceId" not in caplog.text

    def test_mapped_tags_pass_the_checks(self):
        check(to_cbf(frame_of(charge(Tags='{"a": "1"}'), charge(Tags='{"b": "1"}', **RESOURCE))))


class TestTagColumns:
    def test_go_along_with_tags(self):
        charges = [
            charge(Tags='{"a": "1"}', SubAccountName="web", x_Team="t", **RESOURCE),
            charge(SubAccountName="NULL", **RESOURCE),
            charge(SubAccountName="db"),
        ]
        assert tags_of(*charges, tag_columns=["SubAccountName", "x_Team"]) == [
            {"a": "1", "SubAccountName": "web", "x_Team": "t"},
            {},
            {},
        ]
        assert tags_of(*charges) == [{"a": "1"}, {}, {}]

    def test_a_column_that_is_mapped_too(self):
        [row] = converted(charge(BillingAccountId="7", **RESOURCE), tag_columns=("BillingAccountId",))
        assert (row["resource/account"], row["resource/tag:BillingAccountId"]) == ("7", "7")

    def test_those_without_a_resource_are_counted_once(self, caplog):
        tags_of(charge(Tags='{"a": "1"}', x="1"), charge(x="1"), charge(Tags='{"a": "1"}'), tag_columns=["x"])
        assert "3 rows with tags but no ResourceId" in caplog.text

    def test_names_are_cleaned(self):
        assert tags_of(charge(**{"Meine Größe": "1"}, **RESOURCE), tag_columns=["Meine Größe"]) == [
            {"xn--Meine_Gre-n1a6w": "1"}
        ]

    def test_a_key_and_a_column_that_would_become_one(self):
        problem = problem_of(
            charge(**RESOURCE, x="1"), charge(Tags='{"x": "1"}', x="NULL", **RESOURCE), tag_columns=["x", "x"]
        )
        assert (problem.where, problem.column) == ("row 1", "x")
        assert "the column 'x' would become resource/tag:x, as does the key 'x' of Tags" in problem.rule


class TestTypedTags:
    columns = frame_of(*[charge(**RESOURCE)] * 3)

    def tags(self, series):
        rows = to_cbf(self.columns.with_columns(Tags=series)).rows(named=True)
        return [
            {
                k.removeprefix("resource/tag:"): v
                for k, v in row.items()
                if k.startswith("resource/tag:") and v is not None
            }
            for row in rows
        ]

    def test_struct(self):
        series = pl.Series([{"a b": "1", "n": 7, "t": True}, {"a b": None, "n": None, "t": False}, None])
        assert self.tags(series) == [{"a_b": "1", "n": "7", "t": "true"}, {"t": "false"}, {}]

    def test_list_of_pairs(self):
        series = pl.Series([[{"key": "a", "value": "1"}, {"key": "b", "value": None}], [], None])
        assert self.tags(series) == [{"a": "1"}, {}, {}]

    def test_numbers_in_pairs(self):
        dtype = pl.List(pl.Struct({"value": pl.Int64, "key": pl.Categorical}))
        assert self.tags(pl.Series([[{"value": 1, "key": "a"}], None, None], dtype=dtype)) == [{"a": "1"}, {}, {}]

    def test_the_same_as_text(self):
        tags = [{"a": "1", "b": "2"}, {"b": "3"}, {}]
        pairs = pl.Series([[{"key": key, "value": value} for key, value in one.items()] for one in tags])
        texts = pl.Series([json.dumps(one) for one in tags])
        assert self.tags(texts) == self.tags(pairs) == self.tags(pl.Series(tags)) == tags

    def test_a_key_that_is_there_twice(self):
        series = pl.Series([None, [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}], None])
        with pytest.raises(InvalidRowsError, match=r"row 2, column 'Tags', value .*: duplicate tag 'a'"):
            self.tags(series)

    def test_no_key(self):
        with pytest.raises(InvalidRowsError, match=r"row 3, column 'Tags', value .*: a tag needs a key"):
            self.tags(pl.Series([None, None, [{"key": None, "value": "1"}]]))

    @pytest.mark.parametrize(
        ("series", "told"),
        [
            (
                pl.Series([1, 2, 3]),
                "Column 'Tags' has the type Int64: expected tags: a JSON object as text, a Struct, a Map, or a List",
            ),
            (pl.Series([["a"], [], []]), "Column 'Tags' has the type List(String): expected tags"),
            (
                pl.Series([[{"k": "a", "v": "b"}], [], []]),
                "Column 'Tags' has the type List(Struct({'k': String, 'v': String}))",
            ),
            (
                pl.Series([{"a": ["x"]}] * 3),
                "Column 'Tags' has the type List(String) for 'a': expected text, numbers or boo",
            ),
        ],
    )
    def test_that_can_not_be(self, series, told):
        with pytest.raises(InputError) as caught:
            self.tags(series)
        assert str(caught.value).startswith(told)
