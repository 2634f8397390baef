# Each recipe is a plain command; CONTRIBUTING.md and notebooks/help.md give the same without make.
PYTHON ?= python3
LAB_ARGS ?=
# Threads that wait do not spin: training stays fast beside other programs.
export OMP_WAIT_POLICY ?= PASSIVE
ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
PY := .venv/bin/python
READY := .venv/ready

# The versions of what is installed; with CONSTRAINTS= the newest that the ranges allow.
CONSTRAINTS ?= constraints.txt
EXACT := $(addprefix -c ,$(CONSTRAINTS))

# uv makes the environment where there is uv, venv and pip elsewhere, or with UV=. It gets the path
# of our Python, since it may take a name for another one.
ifeq ($(origin UV),undefined)
UV := $(shell command -v uv 2>/dev/null)
endif
ifneq ($(UV),)
VENV = $(UV) venv --quiet --clear --seed --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
INSTALL := $(UV) pip install --python $(PY)
else
VENV = $(PYTHON) -m venv --clear .venv
INSTALL := $(PY) -m pip install --disable-pip-version-check
endif

# On Linux, PyPI's build of PyTorch brings gigabytes for graphics cards; PyTorch's own index has one
# without. Where that index cannot be reached, set-up goes on with PyPI's build.
TORCH := $(shell grep -o '^torch==[0-9.]*' requirements.txt)
TORCH_INDEX := https://download.pytorch.org/whl/cpu
QUICK := env -u PIP_EXTRA_INDEX_URL -u PIP_FIND_LINKS -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL \
	PIP_RETRIES=1 PIP_DEFAULT_TIMEOUT=20 UV_HTTP_RETRIES=1 UV_HTTP_TIMEOUT=20
ifeq ($(shell uname -s),Linux)
SMALL_TORCH = $(QUICK) $(INSTALL) --no-deps --index-url $(TORCH_INDEX) $(TORCH) \
	|| echo "$(TORCH) cannot be installed from $(TORCH_INDEX); next try: PyPI, some gigabytes"
else
SMALL_TORCH = true
endif
NEEDED := anywidget beartype d2l filelock gensim hypothesis jupyterlab latex2mathml nbval numba pandas pytest torch utils xdist

# A .venv that is half made, broken, moved or of another Python is made anew:
# without its mark, set-up starts afresh.
ifneq ($(wildcard $(READY)),)
ifneq ($(shell $(PY) -c "import importlib.util as u, os; print(all(map(u.find_spec, '$(NEEDED)'.split())) \
	and os.path.samefile(u.find_spec('utils').submodule_search_locations[0], 'utils'))" 2>/dev/null),True)
$(shell rm -f $(READY))
endif
endif

.PHONY: help setup lab check test test-browser torture run site slides bench bench-cost sweep constraints \
	matrix clean
.DEFAULT_GOAL := help

help:
	@echo "make lab           set up and open the first lesson (LAB_ARGS=--no-browser prints the address)"
	@echo "make check         style checks and unit tests, without the notebooks: under a minute"
	@echo "make test          all tests, the lessons among them: about ten minutes"
	@echo "make test-browser  drive the interactive figures in Chromium (installed on Debian where missing)"
	@echo "make torture       kill runs, damage files, feed strange texts: a quarter of an hour"
	@echo "make run           execute the lessons afresh and refresh their outputs"
	@echo "make site          write the course as a web site to build/site"
	@echo "make slides        write the lessons as slides to build/slides"
	@echo "make bench         race the full-speed trainer against its peers (two hours; it resumes; CORPUS=my.txt)"
	@echo "make bench-cost    measure the table of lesson 07 anew (half an hour)"
	@echo "make sweep         train what the tables of lesson 08 lack (an hour or two; it resumes)"
	@echo "make matrix        all tests on each Python found, with exact, oldest and newest packages (an hour)"
	@echo "make constraints   take the newest versions into constraints.txt"
	@echo "make setup         set up only"
	@echo "make clean         remove .venv and build"

setup: $(READY)

$(READY): requirements.txt pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	'this course needs Python 3.11 to 3.13, $(PYTHON) is %d.%d; try make PYTHON=python3.12 setup' % v)"
	$(VENV)
	@$(SMALL_TORCH)
	$(INSTALL) $(EXACT) -r requirements.txt
	$(INSTALL) -q --no-deps d2l==1.0.3
	$(INSTALL) -q --no-deps -e .
	@touch $(READY)

lab: $(READY)
	$(PY) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb --ip=127.0.0.1 $(ROOT) $(LAB_ARGS)

check: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pytest -q -n 2 -m "not slow" tests/unit

test: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pytest -q --nbval -n 2 --dist loadfile

test-browser: $(READY)
	$(INSTALL) -q $(EXACT) -r tests/browser/requirements.txt
	$(PY) tests/browser/chromium.py
	$(PY) -m pytest -q tests/browser

torture: $(READY)
	$(PY) -m tools.torture

run: $(READY)
	$(PY) -m tools.execute

site: slides
	$(INSTALL) -q $(EXACT) -r tools/site/requirements.txt
	$(PY) -m tools.site

slides: $(READY)
	$(INSTALL) -q --no-deps sphinx-revealjs==3.2.1
	$(PY) -m tools.slides

bench: $(READY)
	$(INSTALL) -q --no-deps fasttext-wheel==0.9.2
ifdef CORPUS
	$(PY) -m tools.bench_fast --corpus $(CORPUS)
else
	$(PY) -m tools.bench_fast
endif

bench-cost: $(READY)
	$(PY) -m tools.bench_cost

sweep: $(READY)
	$(PY) -m tools.sweep

constraints: $(READY)
	$(INSTALL) -q uv
	$(PY) -m uv pip compile --universal --python-version 3.11 --upgrade --no-annotate --output-file constraints.txt requirements.txt tests/browser/requirements.txt

matrix: $(READY)
	$(INSTALL) -q nox uv
	$(PY) -m nox

clean:
	rm -rf .venv build
