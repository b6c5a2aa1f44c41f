# MedView. `make run` and `make test` do all their own set-up; the rest is for developers.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
CORES ?= 2
export MEDVIEW_TEST_DATA ?= $(wildcard ../shared/data)

.PHONY: run test check fuzz faults accuracy frozen bench lock pictures texts format clean

run: $(VENV)/.run
	$(BIN)/medview demo

# First what may run side by side, one test per core and one thread each; then what measures time or fills the computer.
test: $(VENV)/.dev
	@failed=0; export QT_QPA_PLATFORM=offscreen; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) -m "not alone" || failed=1; \
	$(BIN)/python -m pytest -m alone || failed=1; \
	exit $$failed

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Mutated real files: through the readers, and a tenth of them through the window; mutated models; two hundred hostile models,
# each converted in a process of its own. MEDVIEW_FUZZ_SEED chooses others.
fuzz: $(VENV)/.dev
	MEDVIEW_FUZZ_PACK_COUNT=$${MEDVIEW_FUZZ_PACK_COUNT:-3000} MEDVIEW_HOSTILE_DOOR=child \
	MEDVIEW_FUZZ_COUNT=$${MEDVIEW_FUZZ_COUNT:-20000} MEDVIEW_FUZZ_WINDOW_COUNT=$${MEDVIEW_FUZZ_WINDOW_COUNT:-2000} \
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest tests/fuzz tests/ml/test_hostile_packs.py

# Reader processes killed at random while series are read; then painters killed and their disks failing, at every write of a
# script, and long histories.
faults: $(VENV)/.dev
	MEDVIEW_KILLS=$${MEDVIEW_KILLS:-200} QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -k "killed" \
	tests/io/test_reader_pool.py tests/io/test_series_reader.py tests/fuzz/test_window.py
	MEDVIEW_KILLS=$${MEDVIEW_KILLS:-1000} MEDVIEW_DISK_STRIDE=$${MEDVIEW_DISK_STRIDE:-1} \
	MEDVIEW_HISTORIES=$${MEDVIEW_HISTORIES:-100} MEDVIEW_DAMAGES=$${MEDVIEW_DAMAGES:-3000} MEDVIEW_TURNS=$${MEDVIEW_TURNS:-300} \
	MEDVIEW_WINDOW_KILLS=$${MEDVIEW_WINDOW_KILLS:-40} MEDVIEW_POWER_CUTS=$${MEDVIEW_POWER_CUTS:-3000} \
	MEDVIEW_CANCELS=$${MEDVIEW_CANCELS:-200} MEDVIEW_TRAINING_KILLS=$${MEDVIEW_TRAINING_KILLS:-20} \
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -rP --show-capture=stdout tests/faults

# Models on whole real images, and trainings with their figures for docs/accuracy.md: hours, and it goes on where it was
# interrupted. ROWS="pneumonia bccd-15min" makes these alone; python -m tests.accuracy.trainings --list tells all. Without ROWS
# the loop is played too (about three hours; python -m tests.accuracy.loop --list).
accuracy: $(VENV)/.dev
	@failed=0; export MEDVIEW_ACCURACY=1 QT_QPA_PLATFORM=offscreen; \
	$(BIN)/python -m tests.accuracy.trainings $(ROWS) || failed=1; \
	$(if $(ROWS),:,$(BIN)/python -m tests.accuracy.loop) || failed=1; \
	MEDVIEW_ACCURACY_ROWS="$(ROWS)" $(BIN)/python -m pytest -rP $(if $(ROWS),tests/accuracy/test_trainings.py,tests/accuracy) || failed=1; \
	exit $$failed

# A bundle of the command line that needs no Python, and what it does with a damaged study.
frozen: $(VENV)/.dev
	$(BIN)/python packaging/frozen.py

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

# The template for translators, and the translations beside it as the program reads them.
texts:
	$(PYTHON) packaging/texts.py

lock:
	$(BIN)/python packaging/lock.py

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist medview-demo
