# The two commands for a newcomer: make demo, make test. Everything installs into .venv.
# DEMO_ARGS=--exit   stop after the demo's report, instead of serving
# TEST_ARGS='-k log' what pytest is to run
# CHAOS_ARGS='50 0'   how many random histories, and the seed of the first
# CUTS=1000 SEED=1   how many times `make powercut` cuts the power, and when
# KILLS=20   how often `make replicas` kills
# N=50000 SEED=1     how many inputs `make fuzz` sends, and which
# REPLAY=FILE        one that went wrong, sent again
# BENCH_ARGS='--only gas --json FILE'  one part; for a program to read

.PHONY: help demo test pages check lint format types floors chaos powercut replicas restore-drill bench fuzz schemathesis openapi-examples mutants lock tools clean equality offline-kit alterations

help:
	@echo 'make demo    run the main job: issue 400 credentials, anchor, verify, then serve'
	@echo 'make test    run the whole test suite'
	@echo 'make check   everything that has to pass before a commit: lint, types, floors'
	@echo 'make chaos   500 random histories of a node, its chain and the line between them'
	@echo 'make powercut  cut the power of a node 1,000 times (root, on Linux)'
	@echo 'make replicas  kill the leader of three processes twenty times'
	@echo 'make restore-drill  lose and restore a node at 100 random moments, on both stores'
	@echo 'make bench   measure, each figure beside its limit on this machine'
	@echo 'make soak    load a daemon for ten minutes, and see that its memory stays flat'
	@echo 'make fuzz    send 50,000 mutated inputs through every way in'
	@echo 'make alterations  alter every field of a bundle and a pack, and see that none is believed'
	@echo 'make schemathesis  send what fits openapi.json, and what does not, to every route'
	@echo 'make openapi-examples  ask a node anew what stands in openapi.json as examples'
	@echo 'make mutants break each check of the verifier once, and see that a test fails'
	@echo 'make equality  compare the JSON-LD engine with PyLD on random documents'
	@echo 'make offline-kit  one archive that installs and verifies without a network'
	@echo 'make image-rehearsal  build the image and run its services without Docker (root, on Linux)'
	@echo 'make pages   every web page in Chromium, both languages, on a phone and a desk'
	@echo 'make tools   install what some tests need: a chain, peers of other projects'

demo: .venv/ready
	.venv/bin/patunay demo $(DEMO_ARGS)

test: .venv/ready
	.venv/bin/python -m pytest $(TEST_ARGS)

check: lint types floors

lint: .venv/ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

format: .venv/ready
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

types: .venv/ready
	.venv/bin/mypy

floors: .venv/ready
	.venv/bin/lint-imports

chaos: .venv/ready
	.venv/bin/python -m tests.chaos $(CHAOS_ARGS)

powercut: .venv/ready
	.venv/bin/python -m tests.powercut --cuts $(or $(CUTS),1000) $(if $(SEED),--seed $(SEED))

replicas: .venv/ready
	.venv/bin/python -m tests.replicas --kills $(or $(KILLS),20)

restore-drill: .venv/ready
	.venv/bin/python -m tests.restore_drill --count $(or $(N),100)

.PHONY: image-rehearsal
image-rehearsal: .venv/ready
	.venv/bin/python -m tests.docker.rehearsal

# N=20000   how many random documents
equality: .venv/ready
	.venv/bin/python -m tests.equality $(or $(N),20000)

pages: .venv/ready
	EVERY_VIEW=1 .venv/bin/python -m pytest tests/browser

bench: .venv/ready
	.venv/bin/python -m benchmarks $(BENCH_ARGS)

alterations: .venv/ready
	nice .venv/bin/python -m tests.matrix.alterations

# MINUTES=10   how long
.PHONY: soak
soak: .venv/ready
	.venv/bin/python -m benchmarks.soak --minutes $(or $(MINUTES),10)

fuzz: .venv/ready
	.venv/bin/python -m tests.fuzz $(if $(REPLAY),--replay $(REPLAY),--count $(or $(N),50000) $(if $(SEED),--seed $(SEED)))

# ARGS='--max-examples 50'  what schemathesis is to be told besides
schemathesis: .venv/ready
	.ci/install-tools schemathesis
	.venv/bin/python -m tests.openapi .tools/schemathesis/bin/schemathesis $(or $(ARGS),--max-examples 20 --max-time 600)

openapi-examples: .venv/ready
	.venv/bin/python -m tests.openapi.examples

# ARGS='--only did.web --workers 1 --minutes 20'   what to break, and for how long
mutants: .venv/ready
	.venv/bin/python -m tests.mutants $(ARGS)

# KIT_ARGS='--platform linux-x86_64'   for fewer machines; docs/offline-kit.md
offline-kit: .venv/ready
	.venv/bin/python -m scripts.offline_kit.build $(or $(KIT_ARGS),--platform all)

# Needs uv. The lock holds hashes alone, so plain pip installs it from any index.
lock:
	uv lock --quiet
	uv export --quiet --all-groups --no-emit-project --format requirements-txt -o requirements.lock
	rm -f uv.lock

tools:
	.ci/install-tools

.venv/ready: requirements.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap

clean:
	rm -rf .venv .tools demo-node .mypy_cache .ruff_cache .pytest_cache
