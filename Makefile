# Everything happens in .venv, which the first target makes. PYTHON chooses the interpreter (3.11 or later).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-pure check snapshots coverage bench soak docs release-check clean

# txfuzz exits with 1 when it found something, which is the purpose of the demo.
demo: $(READY)
	@$(BIN)/txfuzz run --output-dir runs/demo; code=$$?; \
	if [ $$code -eq 1 ]; then echo "to have txfuzz on the path: . $(BIN)/activate"; exit 0; fi; \
	echo "make demo: expected a finding (exit code 1), txfuzz exited with $$code" >&2; exit 1

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

# The folders that need no database.
PURE := $(addprefix tests/,history analysis workload feedback common report)
test-pure: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not server" $(PURE)

# Renew the snapshots of the program's sentences. Read the difference before you commit it.
# TESTS=tests/report/test_text.py: only this module, even if it has no snapshots yet.
RECORDED = $(shell find tests plugins -name '*.ambr' | sed 's,__snapshots__/\(.*\)\.ambr$$,\1.py,' | sort)
snapshots: $(READY)
	$(BIN)/python -m pytest -q -n0 --snapshot-update $(or $(TESTS),$(RECORDED))

# Processes that the tests start are measured too.
coverage: $(READY)
	$(BIN)/python -m pytest -q -n auto --dist loadfile --cov --cov-report=term:skip-covered --cov-report=html:build/coverage $(TESTS)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py docs/makers/*.py

bench: $(READY)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/checking.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/txfuzz compare rare_template two_clients --seeds 5

# Every shipped workload under every fault: make soak MINUTES=60. WRITE=docs/faults.md rewrites the tables there.
MINUTES ?= 10
soak: $(READY)
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES) $(if $(WORKERS),--workers $(WORKERS)) $(if $(WRITE),--write $(WRITE))

# The tables and pictures in docs/ that come from runs, and the reference that comes from the source.
docs: $(READY)
	$(BIN)/python benchmarks/replay.py --seeds 3 --write docs/replay.md
	$(BIN)/python benchmarks/check.py --write docs/schedules.md
	$(BIN)/python benchmarks/replicas.py --write docs/replicas.md
	$(BIN)/python docs/makers/agreement.py --write docs/agreement.md
	$(BIN)/python docs/makers/hermitage.py --write docs/hermitage.md
	$(BIN)/python docs/makers/matrix.py --write docs/matrix.md
	$(BIN)/python docs/makers/check_page.py --write docs/check.md
	$(BIN)/python docs/makers/report_pictures.py --write docs/pictures
	$(BIN)/python docs/makers/serve_pictures.py --write docs/pictures
	$(BIN)/python docs/makers/screen_picture.py --write docs/pictures
	$(BIN)/python docs/makers/plugin_reference.py --write docs/plugin-reference.md
	$(BIN)/python docs/makers/examples.py --write docs/examples.md
	$(BIN)/python docs/makers/databases.py --write docs/databases.md
	$(BIN)/python docs/makers/lifecycle_picture.py --write docs/pictures

# The check that docs/releasing.md requires before publishing.
release-check: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[release]'
	PYTHON=$(BIN)/python .ci/release-check

PLUGINS := postgres heuristics templates mariadb sqlite duckdb sqlalchemy

$(READY): pyproject.toml $(PLUGINS:%=plugins/%/pyproject.toml) constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "txfuzz needs Python 3.11 or later; set PYTHON=python3.x")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable '.[dev]' $(PLUGINS:%=--editable plugins/%)
	@touch $(READY)

clean:
	rm -rf .venv runs build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
