# Everything runs in its own virtual environment; only Python 3.11-3.13 and make must be installed.
#   make train-faces PYTHON=python3.12
#   make train-faces TORCH_ARGS="--index-url ..."    (where pip finds the build of torch)

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
TORCH_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
BASE := $(VENV)/.made
TRAIN := $(VENV)/.installed-train
DEV := $(VENV)/.installed-dev
NODE := $(VENV)/node
FACES := out/faces
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile
SOURCES := ganassets plugins exporters blender tests benchmarks examples

.DEFAULT_GOAL := help
.PHONY: help install train-faces test test-core test-real test-fast lint format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BASE):
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name it with make PYTHON=/path/to/python."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# torch is installed first, so that later commands keep its build instead of choosing another.
$(TRAIN): pyproject.toml constraints.txt | $(BASE)
	@echo "Installing ganassets for training; the first time takes some minutes."
	$(INSTALL) $(TORCH_ARGS) torch
	$(INSTALL) --editable '.[train,evaluate]'
	@touch $@

$(DEV): $(TRAIN)
	$(INSTALL) --editable '.[train,evaluate,exr,usd,distributed,dev]'
	@touch $@

install: $(TRAIN)  ## create the environment and install ganassets for training

train-faces: $(TRAIN)  ## train on heads for a few minutes, export the model, generate 8 heads
	$(BIN)/ganassets train faces --preset quick
	$(BIN)/ganassets export faces --onnx
	$(BIN)/ganassets generate faces -n 8 -o $(FACES) --overwrite
	@echo
	@echo "Contact sheet: $(CURDIR)/$(FACES)/contact-sheet.png"
	@echo "Heads:"
	@ls $(CURDIR)/$(FACES)/*.glb

# Each part runs even if the one before it fails; make fails if one does.
test: $(DEV)  ## run all checks and tests
	@$(MAKE) --no-print-directory --keep-going --jobs=1 lint test-core test-real

# One thread per process, because the processes share the cores.
test-core: $(DEV)  ## run the tests that need only Python packages
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) -m "not real"

# Only Node.js is put first in PATH: Debian's Blender would use a Python from there.
test-real: $(DEV)  ## run the tests with real consumers (Blender, a browser, a validator)
	@mkdir -p $(NODE) && ln -sf ../bin/node ../bin/npm $(NODE)
	PATH="$(abspath $(NODE)):$$PATH" $(BIN)/python -m pytest -m real

test-fast: $(DEV)  ## run the fast tests
	$(BIN)/python -m pytest $(PARALLEL) -m "not real and not slow"

lint: $(DEV)  ## check style, types and imports
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python tests/support/import_rules.py

format: $(DEV)  ## format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean:  ## remove the environment and all caches, but not runs/ and out/
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
