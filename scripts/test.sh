#!/bin/sh
# Everything that must hold before a change goes in. Prints the time of each
# part, and names the parts that failed.
set -u
cd "$(dirname "$0")/.." || exit 1

failed=""
times=""

# part NAME COMMAND...: run it, note its time, go on if it fails.
part() {
	name=$1
	shift
	echo "== $name"
	begin=$(date +%s)
	if "$@"; then verdict=ok; else
		verdict=FAILED
		failed="$failed $name"
	fi
	end=$(date +%s)
	times="$times$(printf '%6ds  %-12s %s' $((end - begin)) "$name" "$verdict")
"
}

formatted() {
	# Only what belongs to the project: caches may lie in the folder too.
	out=$(git ls-files -co --exclude-standard -- '*.go' | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done | xargs gofmt -l)
	[ -z "$out" ] && return 0
	echo "not formatted by gofmt:"
	echo "$out"
	return 1
}

# What a tag leaves out of the tests has to compile all the same.
long="./fsm ./fsm/modeltest ./cluster/store ./jepsen ./jepsen/report"
vet() { go vet ./... && go vet -tags invariants,long $long; }

# The packages that will run in a simulation may not depend on a disk.
wasip1() {
	GOOS=wasip1 GOARCH=wasm go build ./fsm/... ./transport/... ./broker ./cluster ./cluster/store ./client ./jepsen/sim
}

# runs SET NEMESES: short ones, with the slice's program.
runs() {
	"$dir/ferry" jepsen run --seed 1 --time 4s --budget 90s --dir "$dir/report-$1" --set "$1" --nemesis "$2"
}

# A slice of the fault suite: real processes in namespaces, which needs root.
slice() {
	dir=$(mktemp -d) || return 1
	go build -o "$dir/ferry" ./cmd/ferry &&
		runs core isolate-leader,power-loss-all && runs features kill-one
	code=$?
	rm -rf "$dir"
	return $code
}

part gofmt formatted
part build go build ./...
part vet vet
part staticcheck go tool staticcheck ./...
part wasip1 wasip1
# Many packages wait more than they work: twice as many at a time as cores.
part tests go test -race -vet=off -timeout 10m -p $((2 * $(nproc))) ./...
part jepsen slice

echo
printf '%s' "$times"
if [ -n "$failed" ]; then
	echo "test: FAILED:$failed"
	exit 1
fi
echo "test: ok"
