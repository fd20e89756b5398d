# make demo               run the main job and look at the result
# make test               lint and test, in at most 15 minutes on two cores once the environments are installed
# make test-long          test what takes minutes by nature
# make test-all           every test: the two above, docs, release-check, test-matrix, test-dependencies and fire
# make test-matrix        test on each supported line of Airflow
# make test-distributed   test with two Celery workers that are killed, PostgreSQL and Redis (up to 20 minutes)
# make test-dependencies  test with the lowest and the highest supported versions of the dependencies
# make bench              measure what the provider costs, beside what a user would do instead
# make docs               build the documentation as a site, in docs/_build/html
# make wheel              build the wheel
# make dist               build the sdist and the wheel
# make release-check      build both, check them, and use the wheel in an empty environment
#
# Each target creates the environments it needs in .venv, from pinned versions. Only make and Python 3.10 to 3.13 are
# required; the browser and the database of test-e2e are installed from Debian's packages if they are missing.

VENV := .venv
BIN := $(VENV)/bin
NEWEST := 3.3
PINS := requirements/airflow-$(NEWEST).txt

# The older lines of Airflow, each with its own environment. Airflow $(OLDEST) does not support Python 3.13.
OLDEST := 2.11
OLDER := $(OLDEST) 3.1 3.2
# Those that test-matrix runs.
LINES := $(OLDER) $(NEWEST)

# The first interpreter that Airflow and this package support.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)

# Expanded immediately (:=), because a target-specific PYTHON is set from these below.
ifndef PYTHON_OLDEST
PYTHON_OLDEST := $(shell for python in $(PYTHON) python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$python && break; done)
endif
# What the documentation is built with does not support Python 3.10 beside Airflow $(NEWEST).
ifndef PYTHON_DOCS
PYTHON_DOCS := $(shell for python in $(PYTHON) python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
endif

.PHONY: demo test test-long test-all lint test-unit test-contract test-fire test-airflow test-e2e chromium postgresql \
	redis test-distributed test-oldest test-matrix test-dependencies test-lowest test-highest fire kill coverage mutate \
	audit bench bench-compare bench-months bench-workers format docs pictures screenshots wheel dist release-check clean

demo: $(VENV)/installed
	@$(BIN)/python scripts/demo.py

test: lint-and-fire test-unit test-contract test-airflow test-e2e test-oldest

# Side by side, since neither keeps two cores busy. Old makes can't keep their output apart.
.PHONY: lint-and-fire
lint-and-fire:
	@$(MAKE) --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) lint test-fire

# A backfill of 36 months whose scheduler and triggerer are killed, the connection form in a browser on the line before
# the newest, 480 streams and months in one run, what happens for each reply that CloudZero does not document, and bucket
# drops that are killed a hundred times or run side by side in every order.
test-long: $(VENV)/installed-dev $(VENV)/airflow-3.2/installed $(VENV)/highest/installed chromium
	$(VENV)/highest/bin/pytest -n 2 tests/unit
	CLOUDZERO_AIRFLOW_3_2=$(VENV)/airflow-3.2 $(BIN)/pytest -n 2 -m long tests/e2e
	$(BIN)/pytest -m long tests/airflow
	$(BIN)/pytest -m long tests/contract

test-all: test docs release-check test-long test-matrix test-dependencies fire

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml cloudzero_provider scripts dags_examples

test-unit: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

# Most of these tests wait rather than work: six processes fill two cores.
test-contract: $(VENV)/installed-dev $(VENV)/uca-tools/installed
	$(BIN)/pytest -n 6 --dist worksteal -m 'not long' tests/contract

# A few hundred random scenarios; make fire runs thousands.
test-fire: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --dist loadfile tests/fire

test-airflow: $(VENV)/installed-dev
	$(BIN)/pytest -n 3 --dist worksteal -m 'not long' tests/airflow

# Complete Airflows, a browser, PostgreSQL, and S3 (moto's server).
test-e2e: $(VENV)/installed-dev chromium postgresql
	$(BIN)/pytest -n 2 -m 'not long' tests/e2e

# $(call from-debian,package,check): install a package if the check fails.
define from-debian
	@{ $(2); } >/dev/null 2>&1 || { \
		if test "$$(id -u)" != 0; then sudo=sudo; fi; \
		command -v apt-get >/dev/null && command -v $${sudo:-true} >/dev/null || { \
			echo "$(1) was not found: install the package $(1) (of Debian, or of your system)."; exit 1; }; \
		$$sudo apt-get update && $$sudo apt-get install -y $(1); }
endef

chromium:
	$(call from-debian,chromium,command -v chromium || command -v chromium-browser)

# Debian does not put these programs on the PATH.
postgresql:
	$(call from-debian,postgresql,{ command -v initdb && command -v pg_ctl; } || ls /usr/lib/postgresql/*/bin/initdb)

redis:
	$(call from-debian,redis-server,command -v redis-server)

# Celery, PostgreSQL and Redis: a backfill of many streams, during which workers are killed, and the database and the
# broker restart. DISTRIBUTED=folder keeps its results.
test-distributed: $(VENV)/distributed/installed postgresql redis
	CLOUDZERO_DISTRIBUTED_RESULTS=$(DISTRIBUTED) $(VENV)/distributed/bin/pytest -s tests/distributed

# Throughput with 1 and 4 workers and 1, 4 and 16 streams, in a quarter of an hour on a machine that does nothing else;
# growth.json, growth.md and growth.svg are written to .distributed.
bench-workers: $(VENV)/distributed/installed postgresql redis
	PYTHONPATH=tests $(VENV)/distributed/bin/python scripts/distributed.py --growth

ifeq ($(PYTHON_OLDEST),)
test-oldest:
	@echo "Skipped: Airflow $(OLDEST) needs Python 3.10 to 3.12, and only $$($(PYTHON) --version) was found."
else
test-oldest: $(VENV)/airflow-$(OLDEST)/installed
	$(VENV)/airflow-$(OLDEST)/bin/pytest -n 2 --dist worksteal tests/unit
endif

# LINES=3.1 runs one line.
test-matrix: $(patsubst %,$(VENV)/airflow-%/installed,$(filter-out $(NEWEST),$(LINES))) $(VENV)/uca-tools/installed \
		$(if $(filter $(NEWEST),$(LINES)),$(VENV)/installed-dev)
	@$(BIN)/python scripts/test_matrix.py \
		$(foreach line,$(LINES),$(line)=$(VENV)$(if $(filter-out $(NEWEST),$(line)),/airflow-$(line)))

# Unit and contract tests with the lowest versions that pyproject.toml allows, on the oldest Airflow, and with the highest
# published ones, on the newest. A deprecation warning from polars is an error.
test-dependencies: test-lowest test-highest

define test-versions
	$(VENV)/$(1)/bin/python -m pip check
	$(VENV)/$(1)/bin/pytest -n 2 --dist loadfile -o 'filterwarnings=error::DeprecationWarning:(cloudzero_provider|polars)' \
		tests/unit tests/contract
endef

ifeq ($(PYTHON_OLDEST),)
test-lowest:
	@echo "Skipped: the lowest versions run on Airflow $(OLDEST), which needs Python 3.10 to 3.12; none was found."
else
test-lowest: $(VENV)/lowest/installed $(VENV)/uca-tools/installed
	$(call test-versions,lowest)
endif

test-highest: $(VENV)/highest/installed $(VENV)/uca-tools/installed
	$(call test-versions,highest)

# 10,000 random scenarios of faults, kills and reruns each; FIRE="--seed 7" repeats the scenarios of a printed seed.
fire: $(VENV)/installed-dev
	@$(BIN)/python scripts/fire.py drops --processes 2 $(FIRE)
	@$(BIN)/python scripts/fire.py telemetry --processes 2 $(FIRE)

# Kill a worker 200 times at random moments. KILL=--telemetry sends telemetry instead of drops; KILL="--times 20 --seed 7"
# kills 20 times, with the moments of a printed seed.
kill: $(VENV)/installed-dev
	@PYTHONPATH=tests $(BIN)/python scripts/kill.py --times 200 $(KILL)

# Ask PyPI for known vulnerabilities of the pinned versions: the only target that needs the Internet after installation.
audit: $(VENV)/audit/installed
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r $(PINS)

# Branch coverage of the core. The sandbox stands in for CloudZero and is not measured.
coverage: $(VENV)/installed-dev
	$(BIN)/coverage run -m pytest tests/unit
	$(BIN)/coverage run --append -m pytest tests/contract
	$(BIN)/coverage report

# Mutation testing of the core: a test must fail for each mutant, or tests/mutation/survivors.md must say why none can.
# The first run takes half an hour; later ones run only the mutants of what changed.
mutate: $(VENV)/installed-dev
	$(BIN)/python scripts/mutate.py

# Takes hours; results.json, results.md and results.svg are written to .bench. BENCH="--only billing --runs 9" runs some
# of the cases, BENCH=--quick runs each once, with few rows.
bench: $(VENV)/installed $(VENV)/bench/installed $(VENV)/uca-tools/installed
	$(BIN)/python -m benchmarks $(BENCH)

# make bench-compare OLD.json, or OLD=path.json: new ÷ old of each case, where new is what make bench wrote last.
OLD = $(filter %.json,$(MAKECMDGOALS))
bench-compare: $(VENV)/installed
	@$(BIN)/python -m benchmarks.compare $(OLD)

# 36 months to S3, one of them of 12,000,000 rows, each read back: about ten minutes. BENCH="--months 4 --largest 1000000".
bench-months: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.big_months $(BENCH)

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation. Warnings are errors: of Sphinx, and of broken links inside the site. The build needs no network;
# ONLINE=1 takes the names of other projects from their own sites.
ifeq ($(PYTHON_DOCS),)
docs:
	@echo "make docs needs Python 3.11 to 3.13, and only $$($(PYTHON) --version) was found (set PYTHON_DOCS=...)."; exit 1
else
docs: $(VENV)/docs/installed
	ONLINE=$(ONLINE) $(VENV)/docs/bin/python -m sphinx --builder html --fail-on-warning --keep-going --quiet \
		docs docs/_build/html
	@$(VENV)/docs/bin/python scripts/check_site.py docs/_build/html
endif

# The drawings of the documentation, as SVG.
pictures: $(VENV)/installed-dev
	$(BIN)/python scripts/pictures.py
	PYTHONPATH=tests:dags_examples $(BIN)/python scripts/cli_pictures.py

# Its screenshots, of a real Airflow (a few minutes).
screenshots: $(VENV)/installed-dev chromium
	PYTHONPATH=dags_examples $(BIN)/python scripts/screenshots.py

wheel: $(VENV)/build/installed
	$(VENV)/build/bin/python -m hatchling build -t wheel

# The sdist and the wheel.
dist: $(VENV)/build/installed
	rm -rf dist
	$(VENV)/build/bin/python -m hatchling build

# Whether the distribution can be published: its metadata, and that the wheel works in an environment that has nothing else.
release-check: dist $(VENV)/release/installed
	$(VENV)/release/bin/python -m twine check --strict dist/*
	$(BIN)/python scripts/release_check.py dist

clean:
	rm -rf $(VENV) dist docs/_build docs/examples .bench .demo .distributed mutants .coverage

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 was not found (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The environments of the older lines of Airflow, and of the lowest and the highest versions of dependencies.
$(VENV)/airflow-$(OLDEST)/installed $(VENV)/lowest/installed: PYTHON = $(PYTHON_OLDEST)
$(VENV)/docs/installed: PYTHON = $(PYTHON_DOCS)
$(VENV)/%/installed: requirements/%.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "The Python that requirements/$*.txt needs was not found (set PYTHON_OLDEST=...)"; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet -r $<
	$(@D)/bin/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/installed: $(VENV)/bin/python $(PINS) requirements/build.txt pyproject.toml
	@$(BIN)/python scripts/install.py -r $(PINS) -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/uca-tools/installed: $(VENV)/bin/python requirements/uca-tools.txt
	$(BIN)/python -m venv $(VENV)/uca-tools
	$(VENV)/uca-tools/bin/python -m pip install --quiet -r requirements/uca-tools.txt
	@touch $@

# What is measured beside the provider.
$(VENV)/bench/installed: $(VENV)/bin/python requirements/bench.txt
	$(BIN)/python -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet -r requirements/bench.txt
	@touch $@

$(VENV)/audit/installed: $(VENV)/bin/python requirements/audit.txt
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet -r requirements/audit.txt
	@touch $@

$(VENV)/release/installed: $(VENV)/bin/python requirements/release.txt
	$(BIN)/python -m venv $(VENV)/release
	$(VENV)/release/bin/python -m pip install --quiet -r requirements/release.txt
	@touch $@

$(VENV)/build/installed: $(VENV)/bin/python requirements/build.txt
	$(BIN)/python -m venv $(VENV)/build
	$(VENV)/build/bin/python -m pip install --quiet -r requirements/build.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements/dev.txt
	$(BIN)/python -m pip install --quiet -r requirements/dev.txt
	@touch $@
