# Every target works from a clean clone and brings its own environment. Without make: `python -m tools TARGET`.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help site test check serve notebook studies bench twins card lock

help: ## list the commands
	@$(PYTHON) -m tools
site: ## execute every notebook, build _build/html, say how to open it
	@$(PYTHON) -m tools site
test: ## run every test: lint, types, notebooks, package, site
	@$(PYTHON) -m tools test
check: ## lint, types and the fast tests, in at most three minutes
	@$(PYTHON) -m tools check
serve: ## serve _build/html at http://localhost:8000
	@$(PYTHON) -m tools serve
notebook: ## open one chapter live in JupyterLab: make notebook N=03
	@$(PYTHON) -m tools notebook $(N)
studies: ## run the slow studies and write data/studies
	@$(PYTHON) -m tools studies
bench: ## measure speed and memory into _build/bench.json
	@$(PYTHON) -m tools bench
twins: ## derive the .ipynb twins and the exercises from the .py chapters
	@$(PYTHON) -m tools twins
card: ## draw the social card from its SVG (needs Chromium)
	@$(PYTHON) -m tools card
lock: ## resolve requirements.lock anew and derive environment.yml
	@$(PYTHON) -m tools lock
