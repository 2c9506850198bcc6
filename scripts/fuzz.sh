#!/bin/sh
# Fuzz every target of the module in turn: scripts/fuzz.sh [TIME EACH]
set -eu
cd "$(dirname "$0")/.."
time=${1:-1m}

go list ./... | while read -r package; do
	targets=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
	for target in $targets; do
		echo "== $package $target ($time)"
		# To make small what is merely new, which by default may take a minute each
		# time, would leave most targets no time to look for more.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x "$package" </dev/null || exit 1
	done
done
