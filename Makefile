# MedView. `make run` and `make test` do all their own set-up; the rest is for developers.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export MEDVIEW_TEST_DATA ?= $(wildcard ../shared/data)

.PHONY: run test check bench lock pictures format clean

run: $(VENV)/.run
	$(BIN)/medview demo

test: $(VENV)/.dev
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks

pictures: $(VENV)/.dev
	$(BIN)/python -m tests.end_to_end.pictures

# What the program needs: the system libraries, then the locked Python packages.
$(VENV)/.run: requirements.lock pyproject.toml packaging/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) bash packaging/setup.sh run
	touch $@

# What the tests need on top: a virtual screen, the judges, the checkers.
$(VENV)/.dev: requirements.lock requirements-dev.lock pyproject.toml packaging/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) bash packaging/setup.sh dev
	touch $(VENV)/.run $@

lock:
	$(BIN)/python packaging/lock.py

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist medview-demo
