#!/bin/sh
# Fuzz every target of the module in turn: scripts/fuzz.sh [TIME EACH]
set -eu
cd "$(dirname "$0")/.."
time=${1:-1m}

go list ./... | while read -r package; do
	targets=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
	for target in $targets; do
		echo "== $package $target ($time)"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null || exit 1
	done
done
