# The commands of CONTRIBUTING.md, in the environment that is active.
.PHONY: check quick test docs ci

check:  ## lint, types, import contract
	ruff check tuner tests benchmarks
	ruff format --check tuner tests benchmarks
	mypy
	lint-imports

quick: check  ## and the tests that take no whole sweep
	python -m pytest -m "not slow" -n 2 --dist loadfile

test:  ## all tests; what needs a server or a browser that is not there is skipped
	python -m pytest -n 2 --dist loadfile

docs:  ## the site, into site/
	mkdocs build --strict

ci:  ## what CI runs, in environments of its own
	bash .ci/run
