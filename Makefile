# make demo: run the main job and look at it. make test: pass the tests. make test-matrix: pass them on each line of
# Airflow. make test-dependencies: pass them on the lowest and the highest versions of what is depended on. All make their own environments in .venv from pinned versions; nothing but Python 3.10 to 3.13 and make is
# needed.

VENV := .venv
BIN := $(VENV)/bin
NEWEST := 3.3
PINS := requirements/airflow-$(NEWEST).txt

# The lines of Airflow before the newest, each with an environment of its own. One ends at Python 3.12.
OLDEST := 2.11
OLDER := $(OLDEST) 3.1 3.2

# The first Python that Airflow and this package run on.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)

# Expanded here and now: the oldest line's target takes it for PYTHON.
ifndef PYTHON_OLDEST
PYTHON_OLDEST := $(shell for python in $(PYTHON) python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$python && break; done)
endif

.PHONY: demo test test-all test-long lint test-unit test-contract test-fire test-airflow test-e2e chromium postgresql test-oldest test-matrix \
	test-dependencies test-lowest test-highest fire kill coverage mutate audit format clean

demo: $(VENV)/installed
	@$(BIN)/python scripts/demo.py

test: lint test-unit test-contract test-fire test-airflow test-e2e test-oldest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml cloudzero_provider scripts dags_examples

test-unit: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

# Most of these tests wait rather than work: three processes fill two cores.
test-contract: $(VENV)/installed-dev $(VENV)/uca-tools/installed
	$(BIN)/pytest -n 3 --dist worksteal -m 'not long' tests/contract

# What takes minutes by nature: CloudZero's unpublished answers, each tried alone and some in pairs.
test-long: $(VENV)/installed-dev
	$(BIN)/pytest -m long tests/contract

test-all: test test-long

# A few hundred drawn scenarios; make fire draws thousands.
test-fire: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --dist loadfile tests/fire

test-airflow: $(VENV)/installed-dev
	$(BIN)/pytest tests/airflow

# A real browser looks at the newest Airflow and at the one before; rows come from a real PostgreSQL, and from S3.
test-e2e: $(VENV)/installed-dev $(VENV)/airflow-3.2/installed chromium postgresql
	CLOUDZERO_AIRFLOW_3_2=$(VENV)/airflow-3.2 $(BIN)/pytest tests/e2e

# $(call from-debian,package,is it there): install a package where something is missing.
define from-debian
	@{ $(2); } >/dev/null 2>&1 || { \
		if test "$$(id -u)" != 0; then sudo=sudo; fi; \
		command -v apt-get >/dev/null && command -v $${sudo:-true} >/dev/null || { \
			echo "$(1) was not found: install the package $(1) (of Debian, or of your system)."; exit 1; }; \
		$$sudo apt-get update && $$sudo apt-get install -y $(1); }
endef

chromium:
	$(call from-debian,chromium,command -v chromium || command -v chromium-browser)

# Debian keeps its programs out of the path.
postgresql:
	$(call from-debian,postgresql,{ command -v initdb && command -v pg_ctl; } || ls /usr/lib/postgresql/*/bin/initdb)

ifeq ($(PYTHON_OLDEST),)
test-oldest:
	@echo "Left out: Airflow $(OLDEST) runs on Python 3.10 to 3.12, and only $$($(PYTHON) --version) was found."
else
test-oldest: $(VENV)/airflow-$(OLDEST)/installed
	$(VENV)/airflow-$(OLDEST)/bin/pytest tests/unit
endif

test-matrix: $(VENV)/installed-dev $(OLDER:%=$(VENV)/airflow-%/installed) $(VENV)/uca-tools/installed
	@$(BIN)/python scripts/test_matrix.py $(foreach line,$(OLDER),$(line)=$(VENV)/airflow-$(line)) $(NEWEST)=$(VENV)

# Unit and contract tests on the lowest versions that pyproject.toml allows, on the oldest Airflow, and on the highest that
# are published, on the newest. What polars says is deprecated is an error.
test-dependencies: test-lowest test-highest

define test-versions
	$(VENV)/$(1)/bin/python -m pip check
	$(VENV)/$(1)/bin/pytest -n 2 --dist loadfile -o 'filterwarnings=error::DeprecationWarning:(cloudzero_provider|polars)' \
		tests/unit tests/contract
endef

ifeq ($(PYTHON_OLDEST),)
test-lowest:
	@echo "Left out: the lowest versions run on Airflow $(OLDEST), and so on Python 3.10 to 3.12, which was not found."
else
test-lowest: $(VENV)/lowest/installed $(VENV)/uca-tools/installed
	$(call test-versions,lowest)
endif

test-highest: $(VENV)/highest/installed $(VENV)/uca-tools/installed
	$(call test-versions,highest)

# Drawn scenarios of faults, kills and reruns, 10,000 each; FIRE="--seed 7" runs those of a seed that was printed.
fire: $(VENV)/installed-dev
	@$(BIN)/python scripts/fire.py drops --processes 2 $(FIRE)
	@$(BIN)/python scripts/fire.py telemetry --processes 2 $(FIRE)

# KILL=--telemetry sends telemetry instead of drops; "--times 20 --seed 7" kills less often, or as it did before.
kill: $(VENV)/installed-dev
	@PYTHONPATH=tests $(BIN)/python scripts/kill.py --times 200 $(KILL)

# Asks PyPI for known vulnerabilities of what is pinned: the one target that needs the Internet to say yes.
audit: $(VENV)/audit/installed
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r $(PINS)

# Which branches of the core the tests go through; the sandbox, the other side of the wire, is not looked at.
coverage: $(VENV)/installed-dev
	$(BIN)/coverage run -m pytest tests/unit
	$(BIN)/coverage run --append -m pytest tests/contract
	$(BIN)/coverage report

# The core broken in thousands of places, one at a time: a test must see it, or tests/mutation/survivors.md say why none
# can. The first run takes half an hour; later ones judge what changed.
mutate: $(VENV)/installed-dev
	$(BIN)/python scripts/mutate.py

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .demo mutants .coverage

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed, and was not found (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The lines of Airflow before the newest, and the lowest and the highest versions of dependencies.
$(VENV)/airflow-$(OLDEST)/installed $(VENV)/lowest/installed: PYTHON = $(PYTHON_OLDEST)
$(VENV)/%/installed: requirements/%.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "requirements/$*.txt needs a Python that was not found (set PYTHON_OLDEST=...)"; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet -r $<
	$(@D)/bin/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/installed: $(VENV)/bin/python $(PINS) requirements/build.txt pyproject.toml
	$(BIN)/python -m pip install --quiet -r $(PINS) -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/uca-tools/installed: $(VENV)/bin/python requirements/uca-tools.txt
	$(BIN)/python -m venv $(VENV)/uca-tools
	$(VENV)/uca-tools/bin/python -m pip install --quiet -r requirements/uca-tools.txt
	@touch $@

$(VENV)/audit/installed: $(VENV)/bin/python requirements/audit.txt
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet -r requirements/audit.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements/dev.txt
	$(BIN)/python -m pip install --quiet -r requirements/dev.txt
	@touch $@
