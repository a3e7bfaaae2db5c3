# make repro     run the pipeline                       make test    linter and tests
# make faults    kill and damage the pipeline in every way (long; KILLS=7 DAMAGES=4 for less)
# make preset NAME=best   write a preset to params.yaml   make compare   every cell, the best network and a baseline (long)
# make bench     training beside plain Keras and PyTorch (long)      make lock    renew requirements.lock (needs uv)
# Each sets up .venv from requirements.lock by itself. PYTHON names another interpreter: make repro PYTHON=python3.12

PYTHON ?= python3
INSTALLED := .venv/installed
# The stages are run as `python`, and that must be the one of .venv.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

SOURCE ?= keras
KILLS ?= 100
DAMAGES ?= 40
PYTEST := pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: repro test faults preset compare bench lock

repro: $(INSTALLED)
	@$(RUN) python -m mend
	@$(RUN) dvc repro

test: $(INSTALLED)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) $(PYTEST) --ignore tests/faults

faults: $(INSTALLED)
	@$(RUN) KILLS=$(KILLS) DAMAGES=$(DAMAGES) $(PYTEST) tests/faults

preset: $(INSTALLED)
	@$(RUN) python -m presets $(NAME)

compare: $(INSTALLED)
	@$(RUN) dvc repro download
	@$(RUN) dvc --cd compare repro
	@$(RUN) python -m compare.table

bench: $(INSTALLED)
	@$(RUN) python -m benchmarks.bench --source $(SOURCE)

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "error: Python 3.10 to 3.13 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1); name another: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra zh --extra dev \
		--python-version 3.10 --output-file requirements.lock pyproject.toml
