# Everything happens in .venv, which the first target makes; the linters and what tests need come with the first target
# that uses them. PYTHON chooses the interpreter (3.11 or later).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEVELOPMENT := .venv/.development
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-slow test-pure check snapshots coverage bench soak docs pictures notebook site release clean

# txfuzz exits with 1 when it found something, which is the purpose of the demo.
demo: $(READY)
	@$(BIN)/txfuzz run --output-dir runs/demo; code=$$?; \
	if [ $$code -eq 1 ]; then echo "to have txfuzz on the path: . $(BIN)/activate"; exit 0; fi; \
	echo "make demo: expected a finding (exit code 1), txfuzz exited with $$code" >&2; exit 1

# Everything but what takes long for what it adds.
TESTS_IN_PARALLEL = $(BIN)/python -m pytest -n auto --dist loadfile
test: $(DEVELOPMENT)
	$(TESTS_IN_PARALLEL) -m "not slow and not install"

# The rest: fresh environments, the pages for plugin authors word for word, chances that need many tries.
test-slow: $(DEVELOPMENT)
	$(TESTS_IN_PARALLEL) -m "slow or install"

# The folders that need no database.
PURE := $(addprefix tests/,history analysis workload feedback common report)
test-pure: $(DEVELOPMENT)
	$(TESTS_IN_PARALLEL) -m "not server and not slow and not install" $(PURE)

# Renew the snapshots of the program's sentences. Read the difference before you commit it.
# TESTS=tests/report/test_text.py: only this module, even if it has no snapshots yet.
RECORDED = $(shell find tests plugins -name '*.ambr' | sed 's,__snapshots__/\(.*\)\.ambr$$,\1.py,' | sort)
snapshots: $(DEVELOPMENT)
	$(BIN)/python -m pytest -q -n0 --snapshot-update $(or $(TESTS),$(RECORDED))

# Processes that the tests start are measured too.
coverage: $(DEVELOPMENT)
	$(BIN)/python -m pytest -q -n auto --dist loadfile --cov --cov-report=term:skip-covered --cov-report=html:build/coverage $(TESTS)

check: $(DEVELOPMENT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py docs/makers/*.py .ci/*.py
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

bench: $(DEVELOPMENT)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/checking.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/txfuzz compare rare_template two_clients --seeds 5

# Every shipped workload under every fault: make soak MINUTES=60. WRITE=docs/reference/faults.md rewrites the tables there.
MINUTES ?= 10
soak: $(DEVELOPMENT)
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES) $(if $(WORKERS),--workers $(WORKERS)) $(if $(DASK),--dask $(DASK)) $(if $(WRITE),--write $(WRITE))

# The tables and pictures in docs/ that come from runs, and the reference that comes from the source.
docs: $(DEVELOPMENT) pictures
	$(BIN)/python benchmarks/replay.py --seeds 3 --write docs/how-to/replay.md
	$(BIN)/python benchmarks/check.py --write docs/explanation/schedules.md
	$(BIN)/python benchmarks/replicas.py --write docs/reference/replicas.md
	$(BIN)/python docs/makers/agreement.py --write docs/explanation/agreement.md
	$(BIN)/python docs/makers/hermitage.py --write docs/explanation/hermitage.md
	$(BIN)/python docs/makers/matrix.py --write docs/how-to/matrix.md
	$(BIN)/python docs/makers/check_page.py --write docs/tutorial/check.md
	$(BIN)/python docs/makers/plugin_reference.py --write docs/reference/plugin-reference.md
	$(BIN)/python docs/makers/command_line.py --write docs/reference/command-line.md
	$(BIN)/python docs/makers/schema_page.py --write docs/reference/workload-schema.md
	$(BIN)/python docs/makers/examples.py --write docs/how-to/examples.md
	$(BIN)/python docs/makers/databases.py --write docs/reference/databases.md

# What people see, from runs made for it: the screen in terminals of 80×24 and 120×40, the report and txfuzz serve, light, dark
# and as wide as a phone. Chromium has to be there.
pictures: $(DEVELOPMENT)
	$(BIN)/python docs/makers/screen_picture.py --write docs/pictures
	$(BIN)/python docs/makers/report_pictures.py --write docs/pictures
	$(BIN)/python docs/makers/serve_pictures.py --write docs/pictures
	$(BIN)/python docs/makers/lifecycle_picture.py --write docs/pictures

# The documentation site, in build/site; a link that leads nowhere fails it. What it needs is installed for it alone.
SITE_READY := .venv/.site-ready
site: $(SITE_READY)
	$(BIN)/python docs/makers/site.py --write build/site-pages
	$(BIN)/zensical build --clean --strict
	$(BIN)/python docs/makers/site.py --check build/site

$(SITE_READY): $(DEVELOPMENT)
	$(INSTALL) --editable '.[docs]'
	@touch $(SITE_READY)

# The notebook's outputs, from a run.
notebook: $(SITE_READY)
	$(BIN)/python docs/makers/notebook.py --write docs/notebooks/library.ipynb

# Builds all distributions into dist/ and tries them in an empty environment. Uploading is docs/how-to/releasing.md's.
release: $(DEVELOPMENT)
	$(INSTALL) --editable '.[release]'
	$(BIN)/python .ci/release.py

PLUGINS := postgres heuristics templates mariadb sqlite duckdb sqlalchemy default

# What running needs. `make demo` gets along with it.
$(READY): pyproject.toml $(PLUGINS:%=plugins/%/pyproject.toml) constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "txfuzz needs Python 3.11 or later; set PYTHON=python3.x")'
	$(PYTHON) -m venv --clear .venv
	$(INSTALL) --editable . $(PLUGINS:%=--editable plugins/%)
	@touch $(READY)

# The linters and what tests need.
$(DEVELOPMENT): $(READY)
	$(INSTALL) --editable '.[dev]'
	@touch $(DEVELOPMENT)

clean:
	rm -rf .venv runs build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
