# Everything is set up by the first target that needs it; Python 3.11 to 3.13 is all that must be there.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.set-up

# Each of the many processes that tests start would else compile our modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test check lock benchmark clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(VENV)/bin/pip check --disable-pip-version-check
	touch $@

demo: setup
	$(VENV)/bin/cove demo

test: setup
	$(VENV)/bin/python -m pytest -n auto --dist loadgroup -m "not slow"

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q tests/test_architecture.py

benchmark: setup
	$(VENV)/bin/python -m benchmarks.steps
	$(VENV)/bin/python -m benchmarks.statistics
	$(VENV)/bin/python -m benchmarks.mapping
	$(VENV)/bin/python -m benchmarks.pulling

# The lock names every package with its hashes, and no registry's address.
lock: setup
	$(VENV)/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock

clean:
	rm -rf $(VENV) cove-home cove-demo cove-demo-home cove-demo-hospitals
