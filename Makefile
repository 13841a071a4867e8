PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check mutants gpu-wheels clean

demo: $(VENV)/installed
	$(BIN)/donorgrid demo --out demo

test: $(VENV)/installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

mutants: $(VENV)/installed-dev
	$(BIN)/python tools/mutants.py --named

gpu-wheels:
	$(PYTHON) benchmarks/gpu/wheels.py --to gpu-wheels

clean:
	rm -rf $(VENV) demo gpu-wheels

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/pip install -q -c constraints.txt -e ".[train]"
	touch $@

$(VENV)/installed-dev: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/installed
