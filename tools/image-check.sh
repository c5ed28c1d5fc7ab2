#!/usr/bin/env bash
# Builds the last stage of the Dockerfile around the binary in dist/image and looks into the image: what it declares,
# which files it holds, and that demo and health check run in it as its user, read-only but for /tmp, with nothing else there.
# Needs root, buildah, skopeo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "image-check: $*" >&2; exit 1; }
for tool in buildah skopeo chroot; do
	command -v "$tool" > /dev/null || fail "$tool is missing"
done
[ "$(id -u)" = 0 ] || fail "needs root"

work=$(mktemp -d)
demo=
end() {
	if [ -n "$demo" ]; then kill "$demo" 2> /dev/null || true; wait "$demo" || true; fi
	umount "$work/image/tmp" "$work/image" 2> /dev/null || true
	store umount --all > /dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT
store() { buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$@"; }

image=localhost/cdr-exporter:check
# The OCI format has no health check.
store bud --quiet --format docker --isolation chroot --build-arg BINARY=prebuilt -t "$image" -f Dockerfile . > /dev/null

config=$(skopeo inspect --raw --config "containers-storage:[vfs@$work/root+$work/run]$image" | tr -d ' \n\t')
for want in '"User":"65532:65532"' '"ExposedPorts":{"9887/tcp":{}}' '"Entrypoint":["/cdr-exporter"]' '"Volumes":{"/data":{}}' \
	'"Healthcheck":{"Test":["CMD","/cdr-exporter","healthcheck"],'; do
	grep -qF "$want" <<< "$config" || fail "the image doesn't declare $want: $config"
done

root=$(store mount "$(store from "$image")")
files=$(cd "$root" && find . -mindepth 1 -printf '%y %U %P\n' | sort -k3)
diff - <(printf '%s\n' "$files") <<'EOF' || fail "the image holds other files than it should"
f 0 cdr-exporter
d 65532 data
d 0 etc
d 0 etc/ssl
d 0 etc/ssl/certs
f 0 etc/ssl/certs/ca-certificates.crt
d 65532 tmp
EOF

# As `docker run --read-only --tmpfs /tmp` shows it.
mkdir "$work/image"
mount --bind "$root" "$work/image"
mount -o remount,bind,ro "$work/image"
mount -t tmpfs -o mode=1777 tmpfs "$work/image/tmp"
inside() { chroot --userspec=65532:65532 "$work/image" /cdr-exporter "$@"; }
inside version
port=$((20000 + RANDOM % 10000))
chroot --userspec=65532:65532 "$work/image" /cdr-exporter demo --web.listen-address="127.0.0.1:$port" > "$work/demo.log" 2>&1 &
demo=$!
for _ in {1..100}; do
	if inside healthcheck --web.listen-address="127.0.0.1:$port" 2> /dev/null; then
		kill -TERM "$demo"
		wait "$demo" || fail "the demo ended with status $?: $(tail -n 5 "$work/demo.log")"
		demo=
		! inside healthcheck --web.listen-address="127.0.0.1:$port" || fail "the health check finds an exporter that has ended healthy"
		echo "image-check: built, declared, and the demo was healthy in it, read-only"
		exit
	fi
	kill -0 "$demo" 2> /dev/null || break
	sleep 0.1
done
fail "the demo wasn't healthy in the image: $(tail -n 5 "$work/demo.log")"
