"""FOCUS to CBF: charges that the provider split, and resources that are made of columns and tags."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest
from support.charges import charge, check, converted, frame_of, problem_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import ConfigurationError

HOST = {"ResourceType": "vm", "ResourceId": "i-1"}


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)


def tags_of(row):
    return {
        name.removeprefix("resource/tag:"): value for name, value in row.items() if name.startswith("resource/tag:")
    }


def ids_of(*charges, **options):
    return [row.get("resource/id") for row in converted(*charges, **options)]


class TestSplitCharges:
    def test_two_workloads_of_one_host(self, caplog):
        split = [
            charge(BilledCost="0.1", AllocatedResourceId="pod/a", AllocatedTags='{"team": "web"}', **HOST),
            charge(BilledCost="0.2", AllocatedResourceId="pod/b", AllocatedTags='{"team": "shop"}', **HOST),
            charge(BilledCost="0.3", AllocatedTags=None, **HOST),
        ]
        rows = converted(*(row | {"Tags": '{"cluster": "c"}'} for row in split))
        assert [row["resource/id"] for row in rows] == ["vm/i-1|pod|a", "vm/i-1|pod|b", "vm/i-1"]
        assert list(map(tags_of, rows)) == [
            {"cluster": "c", "team": "web"},
            {"cluster": "c", "team": "shop"},
            {"cluster": "c"},
        ]
        checked = check(to_cbf(frame_of(*split)))
        assert Decimal(checked.totals["cost/cost"]) == Decimal("0.6")
        assert "2 rows of split charges (AllocatedResourceId)" in caplog.text

    def test_a_workload_of_two_hosts_is_two(self):
        rows = [charge(ResourceId=host, AllocatedResourceId="a") for host in ("i-1", "i-2")]
        assert ids_of(*rows) == ["resource/i-1|a", "resource/i-2|a"]

    def test_without_a_host(self):
        assert ids_of(charge(AllocatedResourceId="a")) == ["resource/a"]

    def test_the_tag_of_the_workload_wins_and_is_counted(self, caplog):
        rows = converted(
            charge(AllocatedResourceId="a", Tags='{"team": "x", "b": "1"}', AllocatedTags='{"team": "y"}', **HOST),
            charge(AllocatedResourceId="b", Tags='{"team": "x"}', AllocatedTags='{"team": "x"}', **HOST),
            charge(AllocatedResourceId="c", Tags='{"team": "x"}', AllocatedTags='{"team": ""}', **HOST),
            charge(Tags='{"team": "x"}', **HOST),
        )
        assert list(map(tags_of, rows)) == [{"team": "y", "b": "1"}, *[{"team": "x"}] * 3]
        told = "1 row with the tag 'team' in Tags and AllocatedTags, with different values: the one of AllocatedTags is sent"
        assert told in caplog.messages

    def test_equal_tags_of_workload_and_host_are_not_counted(self, caplog):
        converted(charge(AllocatedResourceId="b", Tags='{"team": "x"}', AllocatedTags='{"team": "x"}', **HOST))
        assert "in Tags and AllocatedTags" not in caplog.text

    def test_a_tag_of_both_that_would_become_one_with_another_is_named(self):
        problem = problem_of(
            charge(AllocatedResourceId="b", Tags='{"a b": "1", "a_b": "2"}', AllocatedTags='{"a b": "3"}', **HOST)
        )
        assert problem.column == "Tags"
        assert "the key 'a b' of Tags and AllocatedTags" in problem.rule

    def test_a_tag_of_both_that_would_become_an_earlier_one_names_the_column_tags(self):
        problem = problem_of(
            charge(AllocatedResourceId="b", Tags='{"a_b": "1", "a b": "2"}', AllocatedTags='{"a b": "3"}', **HOST)
        )
        assert problem.column == "Tags"
        assert problem.rule.startswith("the key 'a b' of Tags and AllocatedTags would become resource/tag:a_b")

    def test_tags_of_no_workload(self, caplog):
        rows = converted(
            charge(Tags='{"a": "1"}', AllocatedTags='{"a": "2", "b": "3"}', **HOST), charge(AllocatedTags="{}", **HOST)
        )
        assert list(map(tags_of, rows)) == [{"a": "1"}, {}]
        warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert warnings == ["1 row with AllocatedTags but no AllocatedResourceId: the AllocatedTags are left out"]

    def test_two_that_would_become_one(self):
        problem = problem_of(charge(ResourceId="a|b"), charge(ResourceId="a", AllocatedResourceId="b"))
        assert problem.rule.startswith(
            "ResourceType None with ResourceId 'a' and AllocatedResourceId 'b' would become the resource/id "
            "'resource/a|b', as does ResourceType None with ResourceId 'a|b' of row 1"
        )


class TestMadeResources:
    PROJECTS = (
        charge(ServiceName="Functions", Tags='{"ProjectId": "prj_1", "ProjectName": "shop"}'),
        charge(ServiceName="Functions", Tags='{"ProjectId": "prj_2", "ProjectName": "blog"}'),
    )

    def test_without_the_option_the_warning_names_it(self, caplog):
        assert ids_of(*self.PROJECTS) == [None, None]
        [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert warning == (
            "2 rows with tags but no ResourceId: the tags are left out, which CloudZero accepts only with a "
            "resource (resource_from builds one from columns or tags)"
        )

    def test_of_a_tag(self, caplog):
        rows = converted(*self.PROJECTS, resource_from=["tag:ProjectId"])
        assert [row["resource/id"] for row in rows] == ["resource/prj_1", "resource/prj_2"]
        assert list(map(tags_of, rows)) == [
            {"ProjectId": "prj_1", "ProjectName": "shop"},
            {"ProjectId": "prj_2", "ProjectName": "blog"},
        ]
        assert "2 rows without ResourceId: the resource is built from resource_from" in caplog.messages
        assert not [record for record in caplog.records if record.levelno == logging.WARNING]
        check(to_cbf(frame_of(*self.PROJECTS), resource_from=["tag:ProjectId"]))

    def test_of_a_tag_that_no_row_has(self):
        with pytest.raises(ConfigurationError, match=r"a tag that no row has\. The tags are: none\.$"):
            converted(charge(), resource_from=["tag:ProjectId"])

    def test_of_columns_and_tags(self):
        assert ids_of(*self.PROJECTS, resource_from=("ServiceName", "tag:ProjectName")) == [
            "resource/Functions|shop",
            "resource/Functions|blog",
        ]

    def test_of_a_column_of_the_users_own_and_a_type(self):
        assert ids_of(charge(x_Site="a/b", ResourceType="site"), resource_from=["x_Site"]) == ["site/a|b"]

    def test_rows_with_a_resource_keep_it(self):
        given = [charge(x_Site="a", **HOST), charge(x_Site="a"), charge(x_Site="b", AllocatedResourceId="w")]
        assert ids_of(*given, resource_from=["x_Site"]) == ["vm/i-1", "resource/a", "resource/b|w"]

    def test_a_row_without_any_value_has_none(self, caplog):
        given = [charge(x_A="a"), charge(x_B="b"), charge(Tags='{"c": "d"}')]
        assert ids_of(*given, resource_from=["x_A", "x_B"]) == ["resource/a|", "resource/|b", None]
        assert "1 row with tags but no ResourceId: the tags are left out" in caplog.text

    def test_the_separator(self):
        assert ids_of(charge(x_A="a:b", x_B="c"), resource_from=["x_A", "x_B"], id_separator="~") == ["resource/a~b~c"]

    def test_two_that_would_become_one(self):
        problem = problem_of(charge(x_A="a|b", x_B="c"), charge(x_A="a", x_B="b|c"), resource_from=["x_A", "x_B"])
        assert problem.rule.startswith(
            "ResourceType None with x_A 'a' and x_B 'b|c' would become the resource/id 'resource/a|b|c', as does "
            "ResourceType None with x_A 'a|b' and x_B 'c' of row 1"
        )

    def test_a_made_one_and_one_that_is_there(self):
        problem = problem_of(charge(ResourceId="a"), charge(x_A="a"), resource_from=["x_A"])
        assert "with x_A 'a' would become the resource/id 'resource/a', as does" in problem.rule

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            ("tag:a", "resource_from is 'tag:a': expected a list of column names and tags, like tag:project."),
            ([7], "resource_from is [7]: expected a list"),
            (
                ["ProjectId"],
                "resource_from names 'ProjectId', which is not a column. For the tag with that key, write ",
            ),
            (
                ["tag:projectid"],
                "resource_from names 'tag:projectid', a tag that no row has. The tags are: ProjectId, ",
            ),
            (["BilledCost"], "resource_from names 'BilledCost', which contains numbers: expected a column of text."),
        ],
    )
    def test_that_can_not_be(self, value, told):
        with pytest.raises(ConfigurationError) as caught:
            converted(*self.PROJECTS, resource_from=value)
        assert str(caught.value).startswith(told)
