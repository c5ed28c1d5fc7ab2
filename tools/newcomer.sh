#!/usr/bin/env bash
# A newcomer's first minutes, timed, in a clean Debian root that has only Go, git and make: the README's first command until calls are
# counted, the package if one was built before (dist/release/*.deb), else go build, `init` against the demo's providers, and first metrics.
#   --with-tests  also the README's second command, make test, which installs what it needs; .ci/run itself is that on a bare machine.
# Needs root, Debian's mirror, and mmdebstrap or debootstrap. So as not to download the same modules again, they come from this machine's
# module cache. Nothing compiled is shared, because a newcomer waits for compiling.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "newcomer: $*" >&2; exit 1; }
leave_out() { echo "newcomer: left out: $*"; exit 0; }
[ "$(id -u)" = 0 ] || fail "needs root"
work=$(mktemp -d) root=$work/root jobs=()
end() {
	local status=$? job
	for job in "${jobs[@]}"; do kill -TERM -- "-$job" 2> /dev/null || true; done
	[ "$status" = 0 ] || tail -n 20 "$work"/*.log >&2 || true
	umount -l "$root"/{usr/local/go,modules,proc} 2> /dev/null || true
	rm -rf --one-file-system "$work"
}
trap end EXIT

began=$SECONDS
took() { echo "newcomer: $((SECONDS - began)) s: $*"; began=$SECONDS; }

metrics() { # PORT WHAT: waits until a call is counted
	local port=$1 line
	for _ in {1..3600}; do
		sleep 0.25
		exec 3<> "/dev/tcp/127.0.0.1/$port" || continue
		printf 'GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
		line=$(grep -m 1 '^cdr_calls_total{.* [1-9]' <&3) || line=
		exec 3>&-
		[ -z "$line" ] || { took "$2: $line"; return; }
	done 2> /dev/null
	fail "no calls at port $port"
}

inside() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/go/bin:/usr/bin:/bin:/usr/sbin:/sbin GOPROXY="file:///modules,$proxy" "$@"; }

proxy=$(go env GOPROXY) port=$((20000 + RANDOM % 10000))
case $(command -v mmdebstrap debootstrap | head -n 1) in
*/mmdebstrap) mmdebstrap --quiet --variant=apt --include=git,make,ca-certificates bookworm "$root" > "$work/root.log" 2>&1 ;;
*/debootstrap) debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" > "$work/root.log" 2>&1 ;;
*) leave_out "mmdebstrap or debootstrap is missing" ;;
esac || leave_out "no clean root could be made: is Debian's mirror reachable?"
mkdir -p "$root/usr/local/go" "$root/modules"
{
	mount --bind -o ro "$(go env GOROOT)" "$root/usr/local/go" &&
		mount --bind -o ro "$(go env GOMODCACHE)/cache/download" "$root/modules" &&
		mount -t proc proc "$root/proc"
} || leave_out "nothing can be mounted here"
cp /etc/resolv.conf "$root/etc/"
git -c safe.directory='*' clone --quiet --no-local . "$root/root/cdr-exporter"
took "a clean root with Go, git and make (not a newcomer's time)"

set -m # each job has its own process group
in_clone() { inside sh -c 'cd ~/cdr-exporter && exec "$@"' sh "$@"; }
in_clone go run ./cmd/cdr-exporter demo --web.listen-address="127.0.0.1:$port" > "$work/demo.log" 2>&1 &
jobs+=($!)
metrics "$port" "go run ./cmd/cdr-exporter demo"

as=(inside) program=/root/cdr-exporter/dist/cdr-exporter folder=/root/real state=/root/real/data
deb=$(compgen -G "dist/release/*_$(dpkg --print-architecture).deb" || true)
if [ -n "$deb" ]; then
	cp "$deb" "$root/cdr-exporter.deb"
	inside dpkg -i /cdr-exporter.deb > "$work/deb.log" 2>&1
	as=(inside setpriv --reuid=cdr-exporter --regid=cdr-exporter --init-groups) program=/usr/bin/cdr-exporter
	folder=/etc/cdr-exporter state=/var/lib/cdr-exporter
	took "dpkg -i $(basename "$deb")"
else
	echo "newcomer: left out: there is no package in dist/release (make snapshot); what Go builds is taken, with what go run has compiled"
	in_clone go build -o dist/cdr-exporter ./cmd/cdr-exporter > "$work/build.log" 2>&1
	took "go build"
	mkdir "$root/root/real"
fi

# The demo's tenant is the real account: its configuration has the values that a person would copy from the portal.
demo=$(dirname "$(compgen -G "$root/tmp/cdr-exporter-demo-*/config.yaml")")
value() { sed -n "s/^ *$1: //p" "$demo/config.yaml" | head -n 1; }
cp "$demo/msgraph-ca.pem" "$root$folder/ca.pem"
value client_secret > "$root$folder/contoso-client-secret.txt"
[ -z "$deb" ] || chroot "$root" chown cdr-exporter "$folder/contoso-client-secret.txt"
chmod 600 "$root$folder/contoso-client-secret.txt"
inside "$program" init --provider=msgraph --name=contoso --tenant-id="$(value tenant_id)" --client-id="$(value client_id)" \
	--client-secret-file="$folder/contoso-client-secret.txt" --login-url="$(value login_url)" --graph-url="$(value graph_url)" \
	--ca-file="$folder/ca.pem" --feeds=pstn,direct_routing --storage.path="$state" --output="$folder/config.yaml" --force > "$work/init.log" < /dev/null
took "init, with its checks: $(grep -c ' ok, ' "$work/init.log") feeds ok"

"${as[@]}" "$program" run --config.file="$folder/config.yaml" --web.listen-address="127.0.0.1:$((port + 1))" > "$work/run.log" 2>&1 &
jobs+=($!)
metrics $((port + 1)) "run, with what init wrote"

if [ "${1-}" = --with-tests ]; then
	in_clone make test > "$work/tests.log" 2>&1
	took "make test"
fi
echo "newcomer: done in $SECONDS s"
