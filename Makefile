# The two commands a newcomer needs: `make check` (only Python, under a minute) and `make test` (everything).
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUNNABLE := $(VENV)/.runnable

.PHONY: help demo check test bench record pictures mutate crash lint clean

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# uv comes from PyPI where the machine has none; everything else comes from uv.lock.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "token-doctor needs Python 3.11 or newer: set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@UV=$$(command -v uv || echo $(BIN)/uv); VIRTUAL_ENV=$(CURDIR)/$(VENV) $$UV sync --quiet --frozen --inexact --active
endef

$(READY): pyproject.toml uv.lock
	$(install)
	@touch $@ $(RUNNABLE)

# What the program itself needs, without the tools of its development.
$(RUNNABLE): pyproject.toml uv.lock
	$(install) --no-dev
	@touch $@

demo: $(RUNNABLE)  ## the bot with a Slack and a cluster to try it on: open the address that it prints
	@exec $(BIN)/python -m demo

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Four workers on any machine: these tests wait more than they reckon.
check: lint  ## style, types, layers, and the tests that need nothing but Python
	$(BIN)/pytest -q -n 4 -m "not cluster and not browser" tests/unit tests/causes tests/contract tests/docs tests/demo

test: lint  ## everything: the whole bot, and a real control plane (built once with Go: eight minutes)
	$(BIN)/pytest -q -n 4

bench: $(READY)  ## the benchmarks, each beside what a person would use instead; writes benchmarks/results.md
	$(BIN)/python -m benchmarks

record: $(READY)  ## record the snapshots of tests/causes again, from the real control plane
	RECORD=1 $(BIN)/pytest -q -n auto tests/cluster/test_matrix.py tests/cluster/test_control_plane.py

pictures: $(READY)  ## take the pictures of docs/images anew, with Chromium
	$(BIN)/python -m tests.demo.pictures

mutate: $(READY)  ## break each check and each explanation on purpose; the cases must notice; writes tests/causes/mutations.md
	$(BIN)/python -m tests.mutate

N ?= 1000
crash: $(READY)  ## kill the bot N times (make crash N=1000: an hour) while it carries out requests; writes benchmarks/results.md
	$(BIN)/python -m tests.crash $(N) --results benchmarks/results.md

clean:  ## remove what the targets made here
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
