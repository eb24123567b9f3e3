# The whole of Casewell from a fresh clone: Python 3.11 or newer and make are all it needs.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help run test test-spark check docs ui bench bench-simulation bench-linkage bench-features bench-feature-equality bench-risk bench-risk-scale bench-diabetes tune bench-records bench-weekly-linkage bench-allocation bench-audit bench-diabetes-fairness bench-gate bench-households bench-monitoring bench-need bench-benefit bench-programme bench-trials simulation-report clean

PYTHON ?= python3
BIN := .venv/bin

export PREFECT_HOME := $(CURDIR)/.prefect
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS ?= 180
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export OMP_WAIT_POLICY := PASSIVE
export MPLBACKEND := Agg

help:  ## show these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

# uv itself comes hashed from bootstrap.lock; uv then installs the rest many times faster than pip.
.venv/.stamp: requirements/bootstrap.lock requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Casewell needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

run: .venv/.stamp  ## make a demonstration population if there is none, and this week's lists
	@if [ -z "$$(ls -A data/sources 2>/dev/null)" ]; then $(BIN)/casewell simulate; fi
	@$(BIN)/casewell run

test: .venv/.stamp  ## run every test
	$(BIN)/python -m pytest tests -n 2 --dist loadfile

.venv-spark/.stamp: requirements/bootstrap.lock requirements/spark.lock
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	.venv-spark/bin/uv pip install -q --python .venv-spark/bin/python --no-deps --require-hashes -r requirements/spark.lock
	touch $@

test-spark: .venv-spark/.stamp  ## run the tests that need Spark (and Java 17), in an environment of their own
	.venv-spark/bin/python -m pytest tests/records/test_linkage_spark.py tests/features/test_spark_engine.py

check: .venv/.stamp  ## lint, types, the arrows between rooms, and that the docs are true
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/generate.py --check

docs: .venv/.stamp  ## write the generated pages of docs/reference anew
	$(BIN)/python docs/generate.py

ui: .venv/.stamp  ## open the user interfaces: Prefect on port 4200, MLflow on port 5000
	@mkdir -p mlruns
	@echo "Prefect: http://127.0.0.1:4200    MLflow: http://127.0.0.1:5000    (Ctrl-C stops both)"
	@trap 'kill 0' EXIT; \
	$(BIN)/prefect server start --host 127.0.0.1 --port 4200 >/dev/null & \
	$(BIN)/mlflow ui --host 127.0.0.1 --port 5000 --backend-store-uri sqlite:///mlruns/mlflow.db >/dev/null & \
	wait

bench: .venv/.stamp  ## long measurements, as ratios against a baseline in the same run
	$(BIN)/python -m benchmarks.against_truth

bench-simulation: .venv/.stamp  ## how simulation grows up to a million people (about eight minutes, 4 GB of disk)
	$(BIN)/python -m benchmarks.simulation_scale

bench-linkage: .venv/.stamp  ## linkage against the truth, by group: 100,000 people on three seeds (about half an hour)
	$(BIN)/python -m benchmarks.linkage

bench-records: .venv/.stamp  ## how reading, linking and writing grow, beside the plainest Splink script: 100,000 and 300,000 people
	$(BIN)/python -m benchmarks.records_scale

bench-households: .venv/.stamp  ## who lives alone and with how many, against the truth: 20,000 people (about three minutes)
	$(BIN)/python -m benchmarks.households

bench-weekly-linkage: .venv/.stamp  ## what a second week of linkage costs, and whose id it touches (100,000 people, about ten minutes)
	$(BIN)/python -m benchmarks.weekly_linkage

bench-allocation: .venv/.stamp  ## the best choice under weights and floors: a million people, 400 teams (about four minutes)
	$(BIN)/python -m benchmarks.allocation

bench-audit: .venv/.stamp  ## the audit and its bootstrap: a million people, 232 groups (a few minutes)
	$(BIN)/python -m benchmarks.audit

bench-diabetes-fairness: .venv/.stamp  ## the audit on real people, beside fairlearn's tutorial: make bench-diabetes-fairness DATA=diabetic_data.parquet (UCI 296)
	@test -n "$(DATA)" || { echo "Give the data set's file: make bench-diabetes-fairness DATA=diabetic_data.parquet"; exit 2; }
	$(BIN)/python -m benchmarks.diabetes_fairness "$(DATA)" --pages data/bench-diabetes-fairness

bench-gate: .venv/.stamp  ## are planted wrongs caught by the gate by name, and clean populations left in peace? 35 runs, kept one by one (about an hour)
	$(BIN)/python -m benchmarks.gate

bench-monitoring: .venv/.stamp  ## are planted wrongs named by the week's monitoring, and are clean weeks left in peace? (about a quarter of an hour)
	$(BIN)/python -m benchmarks.monitoring

bench-need: .venv/.stamp  ## is expected need nearer the truth than recorded need, for whom little is written down? (about ten minutes)
	$(BIN)/python -m benchmarks.need

bench-features: .venv/.stamp  ## what features cost, beside what else could make them (about twenty minutes and 12 GB of disk)
	$(BIN)/python -m benchmarks.features

bench-feature-equality: .venv-spark/.stamp  ## are reference, embedded and Spark engine equal cell by cell, and blind to the future? 20,000 people (about half an hour)
	.venv-spark/bin/python -m benchmarks.feature_leaks
	.venv-spark/bin/python -m benchmarks.feature_equality

bench-risk: .venv/.stamp  ## predicted risk, by trees and by the simpler model, against true risk: 100,000 people on three seeds (about three quarters of an hour)
	$(BIN)/python -m benchmarks.risk_coverage
	$(BIN)/python -m benchmarks.risk

bench-risk-scale: .venv/.stamp  ## what training 100,000 people and scoring a million cost, beside plain LightGBM (about a quarter of an hour)
	$(BIN)/python -m benchmarks.risk_scale

bench-diabetes: .venv/.stamp  ## the risk estimator on real people: make bench-diabetes DATA=diabetic_data.parquet (UCI 296)
	@test -n "$(DATA)" || { echo "Give the data set's file: make bench-diabetes DATA=diabetic_data.parquet"; exit 2; }
	$(BIN)/python -m benchmarks.diabetes "$(DATA)"

tune: .venv/.stamp  ## compare the default trees of the risk model with others, on simulated people
	$(BIN)/python -m benchmarks.tune

bench-benefit: .venv/.stamp  ## who gains, beside risk, chance and other learners in an environment of their own (about an hour)
	$(BIN)/python -m benchmarks.benefit_coverage
	$(BIN)/python -m benchmarks.benefit_grades
	$(BIN)/python -m benchmarks.benefit_pipeline
	$(BIN)/python -m benchmarks.benefit_scale
	$(BIN)/python -m benchmarks.benefit

bench-programme: .venv/.stamp  ## what `casewell evaluate programme` says, held against the truth: nine populations (about an hour)
	$(BIN)/python -m benchmarks.programme

bench-trials: .venv/.stamp  ## public trials through Casewell's estimators, beside what was published (their data are fetched)
	$(BIN)/uv pip install -q --no-deps --target .venv-trials statsmodels==0.15.0 causaldata==0.1.5 patsy==1.0.3
	PYTHONPATH=.venv-trials $(BIN)/python -m benchmarks.trials

simulation-report: .venv/.stamp  ## hold simulated populations against published figures: data/simulation_report.html
	$(BIN)/python -m benchmarks.simulation_report

clean:  ## remove the environment and everything a run made, sources included
	rm -rf .venv .venv-spark .venv-peers .venv-trials .prefect mlruns data/sources data/truth data/linked data/links data/features data/runs data/profile data/cohorts data/simulation_report.html
