# make repro     run the pipeline
# make check     linter, formatter, types, layers and the fast tests, in a minute
# make test      all of that and the slow tests, in about five minutes; faults and clusters have their own, below
# make preset NAME=best   write a preset to params.yaml
# make verify    run the committed pipeline anew, beside the checkout, and compare every hash
# make compare   every cell, the best network and a baseline, five seeds each, here or on a cluster as below (long)
# make sweep     search settings, on this machine or on a Ray cluster: make sweep ADDRESS=host:port (long)
# make cluster   install what a Ray cluster and DVC remotes on S3 need; make test-cluster tests them
# make bench     training beside plain Keras and PyTorch (long)
# make faults    kill and damage the pipeline in every way (long; KILLS=8 DAMAGES=3 INTERRUPTS=4 for less)
# make lock      renew requirements.lock (needs uv)
# Each sets up .venv from requirements.lock by itself. PYTHON names another interpreter: make repro PYTHON=python3.12

PYTHON ?= python3
INSTALLED := .venv/installed
CLUSTER := .venv/installed-cluster
# The stages are run as `python`, and that must be the one of .venv.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

SOURCE ?= keras
KILLS ?= 100
DAMAGES ?= 40
INTERRUPTS ?= 100
PYTEST := pytest --numprocesses auto --maxprocesses 4 --dist loadgroup
# Types are checked while the tests run, and said after them.
beside_types = sh -c 'mypy >.venv/types.log 2>&1 & types=$$!; \
	$(PYTEST) --ignore tests/faults $(1); tests=$$?; \
	wait $$types; types=$$?; cat .venv/types.log; exit $$((tests | types))'
# Every stage is a process of its own: bytecode that one of them wrote serves all, in the tests too.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: repro check lint test test-cluster faults preset verify compare sweep bench cluster lock

repro: $(INSTALLED)
	@$(RUN) python -m tools.mend
	@$(RUN) dvc repro

check: lint
	@$(RUN) $(call beside_types,--hypothesis-profile quick -m "not slow and not cluster")

test: lint
	@$(RUN) $(call beside_types,-m "not cluster")

lint: $(INSTALLED)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) lint-imports --no-cache

test-cluster: $(CLUSTER)
	@$(RUN) $(PYTEST) -m cluster

faults: $(INSTALLED)
	@$(RUN) KILLS=$(KILLS) DAMAGES=$(DAMAGES) INTERRUPTS=$(INTERRUPTS) $(PYTEST) tests/faults

preset: $(INSTALLED)
	@$(RUN) python -m tools.preset $(NAME)

verify: $(INSTALLED)
	@$(RUN) python -m tools.verify

compare: $(if $(ADDRESS),$(CLUSTER),$(INSTALLED))
	@$(RUN) python -m tools.mend
	@$(RUN) dvc repro download
	@cd experiments/compare && PYTHONPATH=../.. $(RUN) python -m tools.mend
	@$(if $(ADDRESS),$(RUN) python -m experiments.compare.on_cluster $(ADDRESS))
	@$(RUN) dvc --cd experiments/compare repro

sweep: $(CLUSTER)
	@$(RUN) python -m tools.mend
	@$(RUN) dvc repro download
	@cd experiments/sweep && PYTHONPATH=../.. $(RUN) python -m tools.mend
	@SWEEP_ADDRESS=$(ADDRESS) $(RUN) dvc --cd experiments/sweep repro
	@$(RUN) python -m experiments.sweep.best

bench: $(INSTALLED)
	@$(RUN) python -m benchmarks.bench --source $(SOURCE)

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "error: Python 3.10 to 3.13 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1); name another: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# What a cluster and a remote on S3 need, beside what is installed already
$(CLUSTER): requirements-cluster.lock $(INSTALLED)
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-cluster.lock
	touch $@

cluster: $(CLUSTER)

lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra zh --extra dev \
		--python-version 3.10 --output-file requirements.lock pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra zh --extra dev --extra cluster \
		--extra s3 --extra cluster-dev --constraint requirements.lock \
		$$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' requirements.lock | sort -u) \
		--python-version 3.10 --output-file requirements-cluster.lock pyproject.toml
