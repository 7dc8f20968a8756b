# `make test` and `make demo` set up what they need; the second time that takes no time.
# WORKERS=n runs the tests on n processes, ARGS='...' goes to pytest, PYTHON=... builds .venv with it.

PY := .venv/bin/python
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -le 4 ] && echo $$n || echo 4)
ARGS ?=

.PHONY: help setup python octave browser test demo lint bench index lock wheel clean

help:
	@echo 'make demo    set up; prune, quantize and distil a real network, and print the table'
	@echo 'make test    set up; run all tests'
	@echo 'make setup   only set up: Octave by apt-get, Python packages into .venv'
	@echo 'make lint    only the checks of style and types'
	@echo 'make bench   list the benchmarks'
	@echo 'make index   write octave_pkg/INDEX anew, after a public function came or went'
	@echo 'make lock    write requirements.txt anew, after a dependency in pyproject.toml changed'
	@echo 'make wheel   build the wheel into dist/'
	@echo 'make clean   remove everything that was made, .venv too'

setup: python octave

python:
	@sh tools/setup.sh python

octave:
	@sh tools/setup.sh octave

browser:
	@sh tools/setup.sh browser

test: octave python browser
	OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# Where Octave cannot be had, the same job runs on the NumPy backend.
demo: python
	@if sh tools/setup.sh octave; then $(PY) examples/demo.py $(ARGS); \
	else $(PY) examples/demo.py --backend numpy $(ARGS); fi

lint: python
	$(PY) -m pytest tests/test_lint.py $(ARGS)

bench: python
	@echo 'Run one with:'
	@for f in benchmarks/*.py benchmarks/*.m; do \
	  case $$f in *\**) ;; *.py) echo "  $(PY) $$f" ;; *.m) echo "  octave-cli $$f" ;; esac; done

index: python
	$(PY) tools/make_index.py

lock:
	$(or $(PYTHON),python3) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --only-binary :all: --no-header --no-annotate --quiet -o requirements.txt
	rm -rf build/lock

wheel: python
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
