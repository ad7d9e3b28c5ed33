# Each target sets up all that it needs by itself, in .venv, from constraints.txt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
PACKAGES := app worker model tests benchmarks

.PHONY: run demo test chaos lint format features bench bench-pictures clean

run: $(VENV)/.run  ## Redis, API, page and worker on http://127.0.0.1:8000
	@$(BIN)/atelier up

demo: $(VENV)/.run  ## paint one sample job through HTTP and say where the picture is
	@$(BIN)/python scripts/demo.py

# Two files at a time, each process with houses of its own: most of a test's time is waiting for one.
# In their order: the longest are not the last.
test: $(VENV)/.dev  ## every test that this machine can run
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

chaos: $(VENV)/.dev  ## a bad night of ten minutes, after which no job may be missing
	@$(BIN)/python -m scripts.chaos $(OPTIONS)

lint: $(VENV)/.dev  ## ruff and mypy
	@$(BIN)/ruff check $(PACKAGES) scripts
	@$(BIN)/ruff format --check $(PACKAGES) scripts
	@$(BIN)/mypy

format: $(VENV)/.dev  ## bring the code into the form that lint wants
	@$(BIN)/ruff check --fix $(PACKAGES) scripts
	@$(BIN)/ruff format $(PACKAGES) scripts

features: $(VENV)/.features  ## learn the bundled features anew
	@$(BIN)/python -m model.pretrain --output model/features/bundled.npz

bench: $(VENV)/.dev .bench-venv/.peers  ## measure beside the peers, 40 minutes; writes benchmarks/results.md
	@$(BIN)/python -m benchmarks.results $(OPTIONS)

bench-pictures: $(VENV)/.dev  ## judge 36 paintings at each quality level; hours, goes on where it stopped
	@$(BIN)/python -m benchmarks.pictures $(OPTIONS)

clean:  ## forget the virtual environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || { echo "Atelier needs Python 3.11 or newer as '$(PYTHON)'; say which with: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { rm -rf $(VENV); echo "Python's venv module is missing (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(PIP) install --constraint constraints.txt pip

# The stamps record that the environment fits the files they depend on.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up the virtual environment (once; about a minute)..."
	@# setuptools would explain at length what it is to be installed as a link to the source.
	@PYTHONWARNINGS=ignore::UserWarning $(PIP) install --constraint constraints.txt --editable '.[worker,embedded]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@

$(VENV)/.features: $(VENV)/.run
	@$(PIP) install --constraint constraints.txt --group features
	@touch $@

# PyTorch and what is written in it, to be measured beside ours; with its CUDA libraries about 5 GB.
# Exactly this build: neural-style's torchvision does not load beside another, such as one for CPUs.
.bench-venv/.peers:
	@$(PYTHON) -m venv .bench-venv
	@.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check torch===2.13.0 neural-style==0.5.7 pystiche==1.0.1
	@touch $@
