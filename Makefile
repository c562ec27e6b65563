# Every target makes and reuses .venv by itself; nothing but Python 3.11 or newer is needed.
.DEFAULT_GOAL := help
.PHONY: help venv demo up test mutants matrix campaigns fuzz bench docs lint check

bin := .venv/bin
# One worker for the real Airflows, two for all else, which often waits; see tests/conftest.py.
workers := --numprocesses 3 --dist loadfile --no-loadscope-reorder

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@.ci/venv

demo: venv ## Release firmware to simulated devices in a real Airflow (FIRMWARE=path VERSION=x FAIL=device)
	@$(bin)/tuya-ota demo $(if $(FIRMWARE),--firmware "$(FIRMWARE)") $(if $(VERSION),--version "$(VERSION)") $(if $(FAIL),--fail "$(FAIL)")

up: venv ## Run Airflow and the emulator until Ctrl-C, to try things out
	@$(bin)/tuya-ota up

test: venv ## Run every test; the pure core alone must cover each of its branches
	@$(bin)/python -m pytest tests/core $(workers) --quiet --cov=airflow_provider_tuya_ota.core --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100
	@$(bin)/python -m pytest $(workers)

mutants: venv ## List small changes of the code that no test notices (FILES=path SAMPLE=number, 0 for all)
	@$(bin)/python -m tests.mutants --sample $(or $(SAMPLE),25) $(FILES)

matrix: venv ## Release under every reading of the documents, in pairs and threes, and with a fault at every call
	@$(bin)/python -m tests.contract.matrix

campaigns: venv ## Kill tasks at every point, in thousands of runs, and count the jobs that result
	@$(bin)/python -m tests.campaigns

fuzz: venv ## Read two hundred thousand broken answers
	@$(bin)/python -m tests.fuzz.replies

bench: venv ## Measure uploads, calls, imports and a release beside what they are compared with (8 minutes)
	@$(bin)/python -m benchmarks

docs: venv ## Write docs/reference, the picture of the layers and the table of rooms from the code
	@$(bin)/python docs/generate.py
	@$(bin)/python docs/generate_architecture.py
	@$(bin)/python docs/generate_gate.py
	@$(bin)/python docs/generate_waves.py
	@$(bin)/python -m docs.generate_record

lint: venv ## Check style, types, layers, import circles, dependencies and file lengths
	@$(bin)/ruff check .
	@$(bin)/ruff format --check --quiet .
	@$(bin)/mypy airflow_provider_tuya_ota
	@$(bin)/mypy tests dags_examples benchmarks docs/generate.py docs/generate_architecture.py docs/generate_gate.py docs/generate_record.py docs/generate_waves.py .ci/import_circles.py
	@$(bin)/lint-imports
	@$(bin)/python .ci/import_circles.py
	@$(bin)/deptry airflow_provider_tuya_ota dags_examples
	@$(bin)/deptry tests benchmarks docs .ci --exclude '\.venv' --ignore DEP002,DEP004
	@.ci/file-length

check: venv ## Everything: lint, test, demo
	@.ci/step lint $(MAKE) --no-print-directory lint
	@.ci/step test $(MAKE) --no-print-directory test
	@.ci/step demo $(MAKE) --no-print-directory demo
