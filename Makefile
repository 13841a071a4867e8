PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SHARED ?= ../shared
REAL ?= real-models

.PHONY: demo test check mutants fuzz kills real real-run gpu-wheels clean

demo: $(VENV)/installed
	$(BIN)/donorgrid demo --out demo

test: $(VENV)/installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# Needs ../shared with a program that makes two real models, and real data; weights stay out of the repository.
real:
	@if [ -f $(SHARED)/tools/real_models.py ]; then $(MAKE) real-run; else \
		echo "make real is skipped: $(SHARED)/tools/real_models.py, which makes the models, is not there"; fi

real-run: $(VENV)/installed-real
	test -d $(REAL) || $(BIN)/python $(SHARED)/tools/real_models.py $(REAL)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/real_models.py --data $(SHARED)/data/real --models $(REAL)/*
	for model in $(REAL)/*; do for precision in fp32 bf16; do \
		$(BIN)/python benchmarks/engine.py --data $(SHARED)/data/real --model $$model --precision $$precision \
			--ways peer donorgrid --train 96 --items 24 --share 1 --repeats 2 || exit 1; \
	done; done

mutants: $(VENV)/installed-dev
	$(BIN)/python tools/mutants.py --named

fuzz: $(VENV)/installed-dev
	HF_HUB_OFFLINE=1 DONORGRID_FUZZ=20000 $(BIN)/python -m pytest -n 2 tests/fuzz

kills: $(VENV)/installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/python tools/kills.py 200

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

$(VENV)/installed-real: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/pip install -q -c constraints.txt -e ".[real]"
	touch $@
