# From a bare machine to a running gateway. Needs Python 3.11 and make, nothing else.
#
#   make run     prepare everything, start the gateway, make one signed consultation, keep serving until Ctrl-C
#   make demo    the same, with a call of each kind of user, then stop
#   make test    the whole test suite
#   make check   format, lint, types, imports, contracts, tests
#   make interop clients in zeep, Node and PHP, and HAProxy in front (needs Debian packages)
#   make ha-test kills, freezes and switches the machines of a replicated PostgreSQL under load (Debian, root)
#   make fault-test  kills, a full disk, false clocks, bad sources, slow connections: what is lost (needs Debian packages)
#   make soak    200,000 consultations: memory and descriptors stay as they are (N=… for fewer)
#   make fuzz    hostile input for everything that reads what others wrote
#   make replay  100,000 recorded consultations decided again under a draft
#   make bench   compare it with others, 15 minutes; make bench-quick takes 3 (installs wrk and gcc with apt-get)
#   make docs    write the generated pages under docs/ again
#   make audit-deps  advisories, licences and age of the dependencies (advisories and age need the network)
#   make lock    pin the newest allowed dependencies anew

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STATE ?= var
INSTALLED := $(VENV)/.installed
LOCKS := requirements-build.lock requirements-dev.lock
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: run demo test check format lint types imports contracts interop ha-test fault-test soak fuzz replay bench bench-quick docs lock audit-deps clean

run: $(INSTALLED)
	@$(BIN)/ksz-gateway tour --state $(STATE) --keep-serving

demo: $(INSTALLED)
	@$(BIN)/ksz-gateway tour --state $(STATE)

# On several cores; the tests of one file share their worlds, so they stay together.
test: $(INSTALLED)
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: format lint types imports contracts test

format: $(INSTALLED)
	@$(BIN)/ruff format --check .

lint: $(INSTALLED)
	@$(BIN)/ruff check .

types: $(INSTALLED)
	@$(BIN)/mypy

imports: $(INSTALLED)
	@$(BIN)/lint-imports

contracts: $(INSTALLED)
	@$(BIN)/ksz-gateway contract check

# Installs PHP, HAProxy and Node from Debian where they are missing.
interop: $(INSTALLED)
	@tests/interop/install.sh
	@$(BIN)/pytest tests/interop

# Prints how many records a second, and the memory they took.
replay: $(INSTALLED)
	@REPLAY_RECORDS=100000 $(BIN)/pytest -s tests/integration/test_annex_replay_many.py -k sqlite

# Installs PostgreSQL, Patroni, etcd and HAProxy from Debian where they are missing.
ha-test: $(INSTALLED)
	@tests/ha/install.sh
	@$(BIN)/python -m tests.ha

# So many inputs, shared out among all targets, then half as many envelopes steered by coverage; ends with an error for a
# finding. A million by hand: make fuzz N=1000000.
N ?= 100000
fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m fuzz --count $(N) --processes 2
	@$(BIN)/python -m fuzz.atheris_envelope --count $$(($(N) / 2)) --corpus build/fuzz-corpus

$(VENV)/.fuzz: requirements-fuzz.lock $(INSTALLED)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

# Quietest when nothing else runs on the machine; a full run writes bench/RESULTS.md.
bench: $(VENV)/.bench
	@bench/install.sh
	@$(BIN)/python -m bench

bench-quick: $(VENV)/.bench
	@bench/install.sh
	@$(BIN)/python -m bench --quick

$(VENV)/.bench: requirements-bench.lock $(INSTALLED)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

# About ten minutes; NAME=… for one of them, see docs/faults.md.
NAME ?=
fault-test: $(INSTALLED)
	@faults/install.sh
	@$(BIN)/python -m faults $(NAME)

soak: N := $(if $(filter file,$(origin N)),200000,$(N))
soak: $(INSTALLED)
	@$(BIN)/python -m faults.soak --requests $(N)

docs: $(INSTALLED)
	@$(BIN)/python -m gateway.docs

$(INSTALLED): $(LOCKS) setup.cfg pyproject.toml
	@test -w . || { echo "make: no permission to write in $$(pwd): run make in a copy that you may write to."; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there: install Python 3.11, or say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), and Python 3.11 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the pinned dependencies into $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index --editable .
	@touch $@

lock: $(INSTALLED)
	@$(COMPILE) requirements-build.in -o requirements-build.lock
	@$(COMPILE) requirements.in -o requirements.lock
	@$(COMPILE) -c requirements.lock requirements-dev.in -o requirements-dev.lock
	@$(COMPILE) requirements-fuzz.in -o requirements-fuzz.lock
	@$(COMPILE) -c requirements-dev.lock requirements-bench.in -o requirements-bench.lock
	@$(COMPILE) requirements-audit.in -o requirements-audit.lock

# In an environment of its own, so that the tools do not change what they look at. What needs no network comes first.
AUDIT := $(VENV)-audit
audit-deps: $(AUDIT)/.installed
	@$(AUDIT)/bin/python -m dependencies reasons
	@$(AUDIT)/bin/python -m dependencies licences --python $(BIN)/python
	@$(AUDIT)/bin/python -m dependencies outdated --python $(BIN)/python
	@for lock in requirements*.lock; do \
	  echo "pip-audit $$lock"; \
	  $(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || { \
	    echo "make: $$lock has advisories, or pip-audit could not ask for them (it needs its advisory service): nothing is known to be safe."; exit 1; }; \
	done

$(AUDIT)/.installed: requirements-audit.lock $(INSTALLED)
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

clean:
	rm -rf $(VENV) $(AUDIT) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
