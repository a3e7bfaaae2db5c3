# make repro     run the pipeline
# make check     linter, formatter, types, layers and the fast tests, in a minute
# make test      the same and the slow tests, in about five minutes, but not those of `make faults` and `make test-cluster`
# make preset NAME=best   write a preset to params.yaml
# make verify    check the committed locks against the code, run the pipeline in a clone, and compare every hash
# make pull-request BASE=main   after `make repro`: what the change does to the results, and whether a score fell too far
# make compare   train every cell, the best networks and a linear baseline with five seeds each (long)
# make cells     train the three small networks that the page shows side by side (two minutes)
# make sweep     search settings, on this machine or on a Ray cluster: make sweep ADDRESS=host:port (long)
# make cluster   install what a Ray cluster and DVC remotes on S3 need; make test-cluster tests them
# make test-container   build the image of the Containerfile, and test it (needs root, buildah and the internet)
# make bench     compare training with plain Keras and PyTorch (long)
# make faults    kill and damage the pipeline in every way (long; KILLS=8 DAMAGES=3 INTERRUPTS=4 for less)
# make lock      renew requirements.lock (needs uv)
# Each target sets up .venv from requirements.lock. PYTHON names the interpreter: make repro PYTHON=python3.12

PYTHON ?= python3
INSTALLED := .venv/installed
CLUSTER := .venv/installed-cluster
# The stages are run as `python`, and that must be the one of .venv.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

PIP := .venv/bin/python -m pip install --disable-pip-version-check
# On a terminal pip shows each package and a progress bar, elsewhere nothing but warnings.
QUIET = $$([ -t 2 ] || echo --quiet)

SOURCE ?= keras
FALL ?= 0.01
KILLS ?= 100
DAMAGES ?= 40
INTERRUPTS ?= 100
PYTEST := pytest --numprocesses auto --maxprocesses 4 --dist loadgroup
# Types are checked while the tests run, and reported after them.
tests_and_types = sh -c 'mypy >.venv/types.log 2>&1 & types=$$!; \
	$(PYTEST) --ignore tests/faults $(1); tests=$$?; \
	wait $$types; types=$$?; cat .venv/types.log; exit $$((tests | types))'
# Every stage is a process of its own, and reads the bytecode that an earlier one wrote; so do the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: repro check lint test test-cluster test-container faults preset verify pull-request cells compare sweep bench cluster lock

repro: $(INSTALLED)
	@$(RUN) python -m tools.repair
	@$(RUN) dvc repro

check: lint
	@$(RUN) $(call tests_and_types,--hypothesis-profile quick -m "not slow and not cluster and not container")

test: lint
	@$(RUN) $(call tests_and_types,-m "not cluster and not container")

lint: $(INSTALLED)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) lint-imports --no-cache

test-cluster: $(CLUSTER)
	@$(RUN) python -c 'import psutil, ray.data' # without these the tests would be skipped
	@$(RUN) $(PYTEST) -m cluster

test-container: $(INSTALLED)
	@$(RUN) pytest -rA -m container tests/test_container.py

faults: $(INSTALLED)
	@$(RUN) KILLS=$(KILLS) DAMAGES=$(DAMAGES) INTERRUPTS=$(INTERRUPTS) $(PYTEST) tests/faults

preset: $(INSTALLED)
	@$(RUN) python -m tools.preset $(NAME)

verify: $(INSTALLED)
	@$(RUN) pytest --quiet tests/pipeline/locks.py
	@$(RUN) python -m tools.verify

pull-request: $(INSTALLED)
	@$(RUN) python -m tools.pull_request $(BASE) $(FALL)

compare: $(INSTALLED)
	@$(RUN) python -m tools.repair
	@$(RUN) dvc repro download
	@$(RUN) dvc --cd experiments/compare repro

cells: $(INSTALLED)
	@$(RUN) python -m tools.repair
	@$(RUN) dvc repro check
	@$(RUN) dvc --cd experiments/cells repro

sweep: $(CLUSTER)
	@$(RUN) python -m tools.repair
	@$(RUN) dvc repro download
	@SWEEP_ADDRESS=$(ADDRESS) $(RUN) dvc --cd experiments/sweep repro
	@$(RUN) python -m experiments.sweep.best

bench: $(INSTALLED)
	@$(RUN) python -m benchmarks.bench --source $(SOURCE)

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
		{ echo "error: Python 3.11 to 3.14 is needed, and $(PYTHON) is $$($(PYTHON) --version 2>&1); name another one: make PYTHON=python3.12"; exit 1; }
	@echo "installing the packages of requirements.lock into .venv, once: 1.1 GB to download, 3.5 GB on disk, about three minutes"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) $(QUIET) --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "installed: $$(du -sh .venv | cut -f1) in .venv"

# What a cluster and DVC remotes on S3 need in addition
$(CLUSTER): requirements-cluster.lock $(INSTALLED)
	@echo "installing Ray, Optuna and what DVC needs for S3 into .venv, once: 0.1 GB to download, a minute or two"
	@$(PIP) $(QUIET) --no-deps --require-hashes -r requirements-cluster.lock
	@touch $@

cluster: $(CLUSTER)

lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra pipeline --extra serve --extra zh --extra dev \
		--python-version 3.11 --output-file requirements.lock pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra pipeline --extra serve --extra zh --extra dev --extra cluster \
		--extra s3 --constraint requirements.lock \
		$$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' requirements.lock | sort -u) \
		--python-version 3.11 --output-file requirements-cluster.lock pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra serve --constraint requirements.lock \
		--python-version 3.11 --output-file requirements-serve.lock pyproject.toml
