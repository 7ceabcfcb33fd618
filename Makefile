# The sandbox of this project is .venv; a stamp in it keeps a second `make` from installing again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The plain version takes the CPU build where an index offers it; a range alone may bring CUDA.
TORCH := torch==2.13.0
EXTRAS := ros,realsense,opencv,calibrate,tui,report,reward,export,rerun,hdf5,quantize
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint wheel results clean
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	$(BIN)/vlarl-agent run

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The package as users get it: built, installed elsewhere, and used away from the checkout.
wheel: $(VENV)/.installed
	bash .ci/wheel $(abspath $(BIN))/python

# docs/results.md, out of results/*.json.
results: $(VENV)/.installed
	$(BIN)/python -m benchmarks.report

$(VENV)/.created:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "pip>=25.1"
	touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.created
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -e ".[tui]"
	touch $@

# All that lint and tests want: every light extra, and LIBERO's lean set.
$(VENV)/.installed-dev: pyproject.toml requirements/libero.txt requirements/libero-nodeps.txt | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e ".[$(EXTRAS)]" --group dev
	$(BIN)/python -m pip install --quiet -r requirements/libero.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements/libero-nodeps.txt
	touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
