# Everything a developer runs; CI runs `make check` and `make test` and nothing else.
PYTHON ?= python3
SANDBOX_PORT ?= 8081
BIN := .venv/bin
# A worker for each core, up to eight. The tests of a file stay together, because they share their servers;
# in their order, so that long files do not come last. ARGS=-n0 runs them in one process.
PARALLEL := -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := setup
.PHONY: setup run test cover check fmt fuzz bench load lock sandbox rules readme clean

setup: .venv/requirements.lock  ## locked environment in .venv
	@true

# The copy of the lock is the stamp: packages are installed again only when the lock has changed.
.venv/requirements.lock: requirements.lock
	@PYTHON="$(PYTHON)" bash deploy/venv.sh
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@cp requirements.lock $@

run: setup  ## sandbox, one linked account and the gateway; Ctrl-C stops all
	@exec $(BIN)/python -m deploy.run

test: setup  ## all tests, with real servers where they are installed
	@bash deploy/ensure.sh
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

cover: setup  ## all tests, with the gate on branch coverage
	@bash deploy/ensure.sh
	@$(BIN)/python -m coverage run -m pytest $(PARALLEL) $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

check: setup  ## format, lint, types, import rules
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: setup  ## format, and fix what can be fixed
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

fuzz: setup  ## requests that the OpenAPI document allows, and others, for a long time; ARGS=--seconds N
	@FUZZ_SEEDS=400 $(BIN)/python -m pytest -q tests/test_connection_smuggling.py -k mutated
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: setup  ## speed beside other servers, and docs/performance.md; ARGS=--quick takes three minutes
	@$(BIN)/python -m tests.bench $(ARGS)

load: setup  ## two workers behind nginx: answers unchanged, and speed
	@bash deploy/load.sh $(ARGS)

lock: setup  ## requirements.lock from pyproject.toml; ARGS=--upgrade takes new releases
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--quiet -o requirements.lock $(ARGS)

sandbox: setup  ## the sandbox alone
	@exec $(BIN)/python -m deploy.sandbox --port $(SANDBOX_PORT) $(ARGS)

rules: setup  ## which scope opens which operation and field
	@$(BIN)/python -m gateway rules $(ARGS)

readme: setup  ## write the rules table into the README
	@$(BIN)/python -c 'import re, subprocess, sys; from pathlib import Path; p = Path("README.md"); \
		table = subprocess.check_output([sys.executable, "-m", "gateway", "rules"], text=True); \
		p.write_text(re.sub(r"(<!-- rules -->\n).*(<!-- /rules -->)", lambda m: m[1] + table + m[2], p.read_text(), flags=re.S))'

clean:  ## caches and reports; .venv and var/ stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
