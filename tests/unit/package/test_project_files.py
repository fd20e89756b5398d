"""What the files around the package name is there: targets of make, files, and the commands of make lint."""

from __future__ import annotations

import re

import pytest
import yaml
from support.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"[\w-]+", re.sub(r"\\\n", " ", MAKEFILE).split(".PHONY:")[1].split("\n")[0]))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["CONTRIBUTING.md", "README.md", "tests/README.md", "docs/guarantees.md"])
def test_every_target_of_make_that_is_named_exists(path):
    # In prose, a target stands in backticks; in code, "make" begins a line.
    named = set(re.findall(r"(?:`|^\s*)make ([a-z][\w-]*)", text_of(path), re.MULTILINE))
    assert named <= TARGETS
    assert named


WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")
}
#: Every job of every workflow, by its name.
JOBS = {f"{file}: {name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_runs_targets_that_exist_and_actions_of_one_major_version(job):
    steps = job.get("steps", [])
    commands = [step["run"] for step in steps if step.get("run", "").startswith("make ")]
    written = {command.split()[1] for command in commands}
    targets = written - {"${{"} | set(job.get("strategy", {}).get("matrix", {}).get("target", []))
    assert targets <= TARGETS
    for action in (step["uses"] for step in steps if "uses" in step):
        assert re.fullmatch(r"[\w./-]+@(v\d+|release/v\d+)", action), action


def test_the_matrix_has_every_python_and_every_line_of_airflow():
    matrix = JOBS["test.yml: airflow"]["strategy"]["matrix"]
    assert matrix["airflow"] == sorted(
        (path.stem.removeprefix("airflow-") for path in (ROOT / "requirements").glob("airflow-*.txt")),
        key=lambda line: tuple(map(int, line.split("."))),
    )
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text_of("pyproject.toml"))
    assert matrix["python"] == supported


def test_only_the_job_that_publishes_may_ask_for_a_token():
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"release.yml: publish"}
    assert JOBS["release.yml: publish"]["permissions"] == {"id-token": "write"}
    assert all(workflow["permissions"] == {"contents": "read"} for workflow in WORKFLOWS.values())


def test_the_hooks_of_pre_commit_are_the_commands_of_make_lint():
    [recipe] = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    [repository] = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == commands
    assert all((hook["language"], hook["pass_filenames"]) == ("system", False) for hook in repository["hooks"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name)
def test_a_form_for_issues_has_what_github_requires(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_every_file_that_contributing_names_exists():
    named = re.findall(r"`([\w./-]+\.(?:py|md|toml|sh|yaml))`", CONTRIBUTING)
    folders = ("cloudzero_provider", "dags_examples", "docs", "scripts", "tests")
    paths = [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*.*"))]
    files = {path.relative_to(ROOT).as_posix() for path in paths}
    assert len(named) > 60
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []


def test_every_name_of_code_that_contributing_names_exists():
    recipes = CONTRIBUTING.split("## Recipes")[1]
    named = set(re.findall(r"`(_\w+|[A-Z]\w+|[a-z]+_[a-z_]+)`", recipes)) - {"CHANGELOG"}
    folders = (ROOT / "cloudzero_provider", ROOT / "tests", ROOT / "dags_examples")
    code = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    assert len(named) > 30
    assert sorted(name for name in named if not re.search(rf"\b{name}\b", code)) == []


def test_the_modules_that_the_changelog_names_as_new_exist_and_the_old_ones_do_not():
    def exists(name: str, *suffixes: str) -> bool:
        path = f"cloudzero_provider/{name.replace('.', '/')}"
        return any((ROOT / f"{path}{suffix}").exists() for suffix in suffixes)

    renamed = re.findall(r"^\| `([\w.]+)` \| `(\w+\.[\w.]+)` \|$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert len(renamed) > 60
    assert [new for _, new in renamed if not exists(new, ".py", "/__init__.py")] == []
    assert [old for old, _ in renamed if exists(old, ".py")] == []
