# Set-up happens by itself, once, and again when requirements.lock or pyproject.toml changes.
#   PYTHON=python3.12   the interpreter, 3.11 to 3.13
#   TORCH=installed     take that interpreter's own torch (2.11 or newer) instead of installing one
PYTHON ?= python3
TORCH ?= 2.13.0
SUITE ?= quickstart
VENV := .venv
READY := $(VENV)/ready-$(TORCH)-$(notdir $(PYTHON))
# One thread for each of two workers: the tests then use two cores and no more.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1

.PHONY: list setup quickstart test test-slow check-install lint docs docs-quickstart bench-grids bench-corners

list: ## Print this list.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(READY) ## Make the environment and nothing else.

quickstart: $(READY) ## The main job: data, training, comparison, pictures; at most fifteen minutes.
	$(VENV)/bin/upsctl bench run quickstart

test: lint ## Lint, then the tests: under fifteen minutes on two cores.
	$(ONE_THREAD) $(VENV)/bin/python -m pytest -n 2

test-slow: $(READY) ## All kills, faults and mutations; about an hour.
	$(ONE_THREAD) $(VENV)/bin/python -m pytest -n 2 -m slow

check-install: $(READY) ## Prove that a wheel installed by pipx runs the main job from any folder (SUITE=smoke is quicker).
	bash .ci/check_install $(VENV)/bin/python $(SUITE)

lint: $(READY) ## ruff, pyright and the layers.
	$(VENV)/bin/ruff check src tests benchmarks
	$(VENV)/bin/pyright --pythonpath $(VENV)/bin/python
	$(VENV)/bin/lint-imports

docs-quickstart: $(READY) ## Take the rows and the picture of the last quickstart into docs/.
	bash .ci/publish_quickstart $(VENV)/bin/python

docs: $(READY) ## Write the generated pages of docs/ again.
	$(VENV)/bin/python -m upsctl.reference

bench-grids: $(READY) ## The campaign of both grid datasets: about four hours on a quiet machine; goes on where it was.
	$(VENV)/bin/upsctl bench run grids

bench-corners: $(READY) ## How wrong the grids' models are at cell corners, against their nodes (after bench-grids).
	$(VENV)/bin/python benchmarks/corners.py $(wildcard runs/bench/grids/trainings/ours*-180s/stages/operator/checkpoint)

$(READY): requirements.lock pyproject.toml .ci/set_up
	bash .ci/set_up $(PYTHON) $(VENV) $(TORCH)
	@touch $@
