# FerryMQ. `make` lists the targets.

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X github.com/ferrymq/ferrymq/cmd/ferry/internal/cli.Version=$(VERSION)
IMAGE     ?= ferrymq:local
FUZZTIME  ?= 1m
BENCH_OUT ?=
SEED      ?= 1
SEEDS     ?= 500
SIMTIME   ?= 20m
ROUNDS    ?= 3
MUTANTS   ?=
ORDERS    ?=
TIMERS    ?=
export BENCH_OUT

.DEFAULT_GOAL := help
.PHONY: help build static test test-long jepsen jepsen-long sim mutants mutants-fsm gap false-election bench timers demo orders image compose-test fuzz clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/ferry
	go build -ldflags '$(LDFLAGS)' -o bin/ferry ./cmd/ferry

static: ## build build/image/ferry, static, for the image
	@mkdir -p build/image
	CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags '$(LDFLAGS)' -o build/image/ferry ./cmd/ferry

test: ## gofmt, vet, staticcheck, wasip1 build and all tests with -race
	scripts/test.sh

test-long: ## the long forms of tests that make test keeps short (30 min)
	go test -race -tags long,invariants -timeout 1h -count=1 ./fsm ./fsm/modeltest
	go test -race -tags long -timeout 1h -count=1 ./cluster/store ./jepsen/report
	go test -race -tags long -timeout 20m -count=1 ./jepsen -run '^TestUnderKills$$'

jepsen: build ## break real clusters in 21 ways, with both sets of workloads (8 min; root)
	bin/ferry jepsen run --seed $(SEED) --budget 8m --dir build/jepsen

jepsen-long: build ## the same for an hour: other seeds, longer faults, every pair of them
	bin/ferry jepsen run --seed $(SEED) --rounds $(ROUNDS) --time 20s --dir build/jepsen-long

sim: ## simulate SEEDS clusters under faults; SEED=n replays one and prints its trace
	@mkdir -p build
	$(if $(filter command line environment,$(origin SEED)),go run ./jepsen/sim/replay/play -seed $(SEED) -length 78s,\
		go test -c -o build/sim.test ./jepsen/sim && GOGC=400 build/sim.test -test.run '^TestSeeds$$' -test.timeout 0 \
		-test.parallel $$(nproc) -seeds $(SEEDS) -time $(SIMTIME) -length 78s)

mutants: ## apply known bugs to copies, one by one: each must be found (MUTANTS="03 12": some)
	go run ./jepsen/mutants $(MUTANTS)

mutants-fsm: ## those of the state machine that its tests must find, without a cluster
	go run ./jepsen/mutants -tests

gap: ## kill ten leaders and measure how long nothing is confirmed
	go test ./jepsen -count=1 -v -run '^TestGapAtLeaderKill$$' -gap-kills 10

false-election: ## watch a busy cluster for ten minutes: its term must not change
	go test -tags long ./jepsen -count=1 -v -run '^TestNoFalseElection$$' -timeout 30m

bench: build ## measure three processes on this machine; BENCH_OUT=file writes JSON
	bin/ferry bench suite $(if $(BENCH_OUT),--out '$(BENCH_OUT)')

timers: build ## how late a million timers arrive beside a steady load (12 min); TIMERS='--n 100000 --window 60s'
	bin/ferry bench timers $(TIMERS)

demo: build ## publish a real file, kill the leader on the way, account for every line
	go build -o bin/ferry-demo ./jepsen/demo
	bin/ferry-demo --ferry bin/ferry

orders: build ## run a shop of ten services on three nodes, break both, and audit it (45 s)
	go build -o bin/ferry-orders ./examples/orders
	bin/ferry-orders --ferry bin/ferry --seed $(SEED) $(if $(ORDERS),--orders $(ORDERS))

image: static ## build the image ferrymq:local
	cp Dockerfile build/image/Dockerfile
	docker build -q -t '$(IMAGE)' build/image

compose-test: build image ## three containers: publish, kill the leader, lose nothing
	FERRY_IMAGE='$(IMAGE)' scripts/compose-test.sh

fuzz: ## fuzz every target for FUZZTIME (1m)
	scripts/fuzz.sh '$(FUZZTIME)'

clean: ## remove what was built
	rm -rf bin build
