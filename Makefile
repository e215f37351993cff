# Works with nothing but a Python 3.11+ on the machine: `make grade`, `make test`.
#   PYTHON=python3.12   the interpreter to use     VENV=.venv   where packages go     JOBS=2   workers

SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
JOBS ?= auto
NAMES := $(notdir $(patsubst %/,%,$(dir $(wildcard assignments/*/assignment.toml))))
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

ASSIGNMENT ?= matrix_gradients

define where
echo "$(1)"; \
echo "  grades     build/out/$(1)/final_grades.csv"; \
echo "  results    build/out/$(1)/results/"; \
echo "  feedback   build/out/$(1)/feedback/"; \
echo "  report     build/out/$(1)/report.html"; \
echo "  to upload  build/out/$(1)/lms/"
endef

# A run on a server writes its bytecode and caches like any other; JAX is asked for the CPU and for 64 bits everywhere.
export JAX_PLATFORMS := cpu
export JAX_ENABLE_X64 := 1

.PHONY: help grade test lint format build attacks styles validity docs links release install clean grade-all
.DEFAULT_GOAL := help

help:
	@echo "make grade    install, grade a sample class of one assignment (ASSIGNMENT=matrix_gradients), say where things are"
	@echo "make grade-all  the same for every assignment, built anew, with submissions that hang: some 15 minutes"
	@echo "make test     the tests of this repository"
	@echo "make lint     formatting, lint, types"
	@echo "make build    student notebooks, solutions and autograder.zip into dist/; refreshes student_template/"
	@echo "make docs     the handbook as pages, in build/docs/ (students' part alone: build/docs-students/)"
	@echo "make release  the archives of a release, in release/"
	@echo "make attacks  every attack in every way of grading that has not been run with this code; goes on where it stopped"
	@echo "make styles   right solutions in many styles under many seeds, on this Python and JAX; goes on where it stopped"
	@echo "make validity every mutant of the references that has not been run with these tests; goes on where it stopped"
	@echo "make clean    remove what make made (.venv, dist/, build/)"

install: $(INSTALLED)

# Installs again only when what is to be installed has changed.
$(INSTALLED): pyproject.toml constraints.txt .ci/install
	@chosen=; for python in "$(PYTHON)" python3.13 python3.12 python3.11; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then chosen=$$python; break; fi; \
	    echo "$$python is not a Python 3.11 or newer"; \
	done; \
	if [ -z "$$chosen" ]; then \
	    echo "No Python 3.11 or newer found. Install one, or say where it is: make PYTHON=/path/to/python3" >&2; exit 2; \
	fi; \
	[ "$$chosen" = "$(PYTHON)" ] || echo "using $$chosen"; \
	"$$chosen" .ci/install "$(VENV)"
	@touch $@

build: $(INSTALLED)
	$(BIN)/autograder build

# One assignment's sample class, without the submissions that hang: minutes. `make grade-all` takes all of them.
grade: $(INSTALLED)
	@rm -rf "build/samples/$(ASSIGNMENT)" "build/out/$(ASSIGNMENT)"
	@echo "== $(ASSIGNMENT): a sample class"
	@$(BIN)/autograder sample "$(ASSIGNMENT)" -o "build/samples/$(ASSIGNMENT)" --without-hanging
	@code=0; $(BIN)/autograder grade "build/samples/$(ASSIGNMENT)" --assignment "$(ASSIGNMENT)" \
	    -o "build/out/$(ASSIGNMENT)" || code=$$?; \
	if [ $$code -gt 1 ]; then exit $$code; fi
	@echo
	@echo "Some of the class could not be graded, and that is right: the samples hold such files on purpose."
	@$(call where,$(ASSIGNMENT))
	@echo "make grade ASSIGNMENT=…: another one of $(NAMES); make grade-all: all, with submissions that hang"

grade-all: build
	@set -e; for name in $(NAMES); do \
	    rm -rf "build/samples/$$name" "build/out/$$name"; \
	    echo; echo "== $$name: a sample class"; \
	    $(BIN)/autograder sample "$$name" -o "build/samples/$$name"; \
	    code=0; $(BIN)/autograder grade "build/samples/$$name" --assignment "$$name" -o "build/out/$$name" || code=$$?; \
	    if [ $$code -gt 1 ]; then exit $$code; fi; \
	    $(call where,$$name); \
	    echo "  autograder dist/$$name/autograder.zip"; \
	done

# A file's tests stay in one process: several build or start something once for the whole file. tests/conftest.py puts
# the files that take longest first. A process that dies is not replaced: pytest-xdist would wait for its file for ever.
test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --max-worker-restart=0 $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache

# Every warning is an error: a link that leads nowhere, a formula that cannot be shown, a diagram that has changed.
SPHINX := $(BIN)/sphinx-build -W --keep-going -q

docs: $(INSTALLED)
	$(SPHINX) -b html docs build/docs
	$(SPHINX) -b html -t students docs build/docs-students
	@echo "build/docs/index.html, and for students build/docs-students/students/index.html"

links: $(INSTALLED)
	$(BIN)/sphinx-build -q -b linkcheck docs build/links

release: $(INSTALLED)
	$(BIN)/python .ci/release

attacks: $(INSTALLED)
	$(BIN)/python benchmarks/attacks.py --record benchmarks/attacks.jsonl --resume --write $(ARGS)

styles: $(INSTALLED)
	$(BIN)/python benchmarks/styles.py $(ARGS)

validity: $(INSTALLED)
	$(BIN)/python benchmarks/validity $(ARGS)

format: $(INSTALLED)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) dist build out release .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
