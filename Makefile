# make demo | test | serve | bench | check: each sets up what it needs; a second run starts in seconds.
PYTHON ?= python3.11
PY := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
export PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK = True
# Without compiled modules each process compiles 1,500 of them as it starts: four seconds of a core in place of two.
unexport PYTHONDONTWRITEBYTECODE

# Whole deployments, faults on purpose and long ways through a browser: minutes each. They wait more than they compute, so
# two go at a time; what measures time or the processor is alone on the machine.
LONG := tests/distributed tests/api/test_chaos.py tests/api/test_openapi_fuzz.py tests/flow/licences/test_killed_while_issuing.py \
  tests/flow/jobs/test_outages.py tests/api/pages/test_reviewer_in_browser.py tests/api/pages/test_citizen_in_browser.py \
  tests/api/pages/test_office_in_browser.py tests/api/pages/test_enterprise.py
ALONE := tests/distributed/test_bench_flow.py tests/distributed/test_bench_stored.py tests/distributed/test_load.py \
  tests/distributed/test_machine_faults.py tests/distributed/test_workers.py tests/api/pages/test_every_page.py

.PHONY: demo test serve bench check setup clean lock

# What is installed: requirements.lock holds the tools of developers too, requirements-run.lock what the service needs.
LOCK ?= requirements.lock

.venv/.ready: $(LOCK) scripts/locks/uv.txt pyproject.toml
	@test -n "$(PY)" || { echo "Python 3.11 is missing: apt-get install python3 python3-venv make" >&2; exit 2; }
	@test -x $(BIN)/python || $(PY) -m venv .venv || { echo "venv is missing: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/locks/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@$(BIN)/python -c "import cv2, onnxruntime" || { echo "a system library is missing: as root, run scripts/packages" >&2; exit 2; }
	@touch $@

models/.ready: models/manifest.toml | .venv/.ready
	$(BIN)/docproc models fetch
	@touch $@

certs/dev/.ready: | .venv/.ready models/.ready
	$(BIN)/docproc seal dev-pki
	@touch $@

setup: .venv/.ready models/.ready certs/dev/.ready

demo: setup
	$(BIN)/docproc demo --out var/demo

test: export DOCPROC_SKIPPED = $(CURDIR)/var/skipped
test: setup
	@mkdir -p var/reports && : >$(DOCPROC_SKIPPED); failed=0; \
	$(PYTEST) --junitxml var/reports/short.xml -n auto --dist loadfile $(LONG:%=--ignore=%) $(ALONE:%=--ignore=%) || failed=1; \
	$(PYTEST) --junitxml var/reports/long.xml -n 2 --dist loadfile $(LONG) $(ALONE:%=--ignore=%) || failed=1; \
	$(PYTEST) --junitxml var/reports/alone.xml $(ALONE) || failed=1; \
	scripts/slowest var/reports/*.xml; \
	sort $(DOCPROC_SKIPPED) | uniq -c | sed 's/^ *\([0-9]*\)/\1 skipped:/'; \
	exit $$failed

serve: setup
	$(BIN)/docproc serve

bench: setup
	scripts/bench

check: setup
	scripts/check

# Every version again, the newest that the bounds in pyproject.toml allow; for the tools the versions stand in their files.
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links
lock: .venv/.ready
	$(COMPILE) pyproject.toml --all-extras --python-version 3.11 --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra postgres --constraint requirements.lock --python-version 3.11 --output-file requirements-run.lock
	for tool in uv lint bom; do $(COMPILE) --universal scripts/locks/$$tool.in --output-file scripts/locks/$$tool.txt || exit 1; done

clean:
	rm -rf .venv var models/weights models/fonts models/.ready certs/dev
