#!/bin/sh
# Start docker-compose.yml, publish and consume from this host, kill the
# leader's container in between, and account for every confirmed message.
# Takes everything down again. Needs bin/ferry and the image (make does both).
set -eu
cd "$(dirname "$0")/.."

ferry=${FERRY:-bin/ferry}
messages=${MESSAGES:-2000}
project=ferrycheck$$
export FERRY_PORT1="${FERRY_PORT1:-17700}" FERRY_PORT2="${FERRY_PORT2:-17710}" FERRY_PORT3="${FERRY_PORT3:-17720}"
url="ferry://127.0.0.1:$FERRY_PORT1,127.0.0.1:$FERRY_PORT2,127.0.0.1:$FERRY_PORT3"
work=""

fail() {
	echo "compose-test: FAILED: $*" >&2
	exit 1
}

if docker compose version >/dev/null 2>&1; then
	engine="docker compose"
elif command -v docker-compose >/dev/null 2>&1; then
	engine="docker-compose"
else
	fail "neither 'docker compose' nor 'docker-compose' is installed"
fi
docker info >/dev/null 2>&1 || fail "no Docker engine answers"

compose() { $engine -p "$project" "$@"; }

down() {
	status=$?
	trap - EXIT INT TERM
	if [ "$status" -ne 0 ]; then
		compose logs --tail 40 >&2 || true
	fi
	compose down -v --remove-orphans -t 5 >/dev/null 2>&1 || echo "compose-test: could not take everything down" >&2
	[ -z "$work" ] || rm -rf "$work"
	exit "$status"
}
trap down EXIT
trap 'exit 130' INT TERM

# container NODE: its id.
container() { compose ps -q "$1"; }

# healthy NODE...: wait until the engine says so of each.
healthy() {
	for node in "$@"; do
		tries=0
		until [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$node")" 2>/dev/null)" = healthy ]; do
			tries=$((tries + 1))
			[ "$tries" -lt 90 ] || fail "$node is not healthy after 90 s"
			sleep 1
		done
	done
}

# leader: the name of the node that leads.
leader() {
	"$ferry" cluster status -o json --url "$url" --timeout 15s |
		sed -n 's/.*"groups":\[{"group":[0-9]*,"leader":"\([^"]*\)".*/\1/p'
}

work=$(mktemp -d)
echo "compose-test: $engine, project $project"
compose up -d
healthy node1 node2 node3
echo "compose-test: three nodes are healthy"

"$ferry" queue create orders --url "$url" --timeout 15s
seq 1 "$messages" | sed 's/^/before-/' >"$work/before"
seq 1 "$messages" | sed 's/^/during-/' >"$work/during"
"$ferry" publish orders --lines --file "$work/before" --url "$url" --timeout 60s

victim=$(leader)
[ -n "$victim" ] || fail "no node leads"
# The kill falls into the second publish: its first half is sent, then the
# leader dies, then the rest follows on the same connection.
half=$((messages / 2))
killed=$(container "$victim")
{
	head -n "$half" "$work/during"
	docker kill "$killed" >/dev/null
	tail -n +"$((half + 1))" "$work/during"
} | "$ferry" publish orders --lines --url "$url" --timeout 60s || fail "publishing through the loss of $victim"
echo "compose-test: killed the leader's container, $victim, in the middle of publishing"

heir=$(leader)
[ -n "$heir" ] && [ "$heir" != "$victim" ] || fail "no other node leads: '$heir'"
echo "compose-test: $heir leads now"

timeout 120 "$ferry" consume orders --idle 3s --url "$url" --timeout 30s >"$work/consumed" || fail "consuming"
sort -u "$work/consumed" >"$work/got"
sort "$work/before" "$work/during" >"$work/want"
lost=$(comm -13 "$work/got" "$work/want" | wc -l)
foreign=$(comm -23 "$work/got" "$work/want" | wc -l)
[ "$lost" -eq 0 ] || fail "$lost confirmed messages are lost, for example: $(comm -13 "$work/got" "$work/want" | head -n 3 | tr '\n' ' ')"
[ "$foreign" -eq 0 ] || fail "$foreign messages that nobody published"
total=$(wc -l <"$work/want")
repeated=$(($(wc -l <"$work/consumed") - total))
echo "compose-test: $total confirmed, $total consumed, $repeated redelivered, 0 lost"

docker start "$killed" >/dev/null
healthy "$victim"
echo "compose-test: $victim is back and healthy"
echo "compose-test: ok"
