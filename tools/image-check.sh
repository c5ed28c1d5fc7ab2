#!/usr/bin/env bash
# Builds the last stage of the Dockerfile around the binary in dist/image and looks into the image: what it declares,
# which files it holds, and that the binary runs in it as its user with nothing else there. Needs root, buildah, skopeo.
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
	store umount --all > /dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT
store() { buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$@"; }

image=localhost/cdr-exporter:check
store bud --quiet --isolation chroot --build-arg BINARY=prebuilt -t "$image" -f Dockerfile . > /dev/null

config=$(skopeo inspect --config "containers-storage:[vfs@$work/root+$work/run]$image" | tr -d ' \n\t')
for want in '"User":"65532:65532"' '"ExposedPorts":{"9887/tcp":{}}' '"Entrypoint":["/cdr-exporter"]' '"Volumes":{"/data":{}}'; do
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

inside() { chroot --userspec=65532:65532 "$root" /cdr-exporter "$@"; }
inside version
port=$((20000 + RANDOM % 10000))
chroot --userspec=65532:65532 "$root" /cdr-exporter demo --web.listen-address="127.0.0.1:$port" > "$work/demo.log" 2>&1 &
demo=$!
for _ in {1..100}; do
	answer=$( (exec 3<> "/dev/tcp/127.0.0.1/$port" && printf 'GET /-/healthy HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3) 2> /dev/null || true)
	if [[ $answer == *' 200 '* ]]; then
		kill -TERM "$demo"
		wait "$demo" || fail "the demo ended with status $?: $(tail -n 5 "$work/demo.log")"
		demo=
		echo "image-check: built, declared, and the demo answered in it"
		exit
	fi
	kill -0 "$demo" 2> /dev/null || break
	sleep 0.1
done
fail "the demo didn't answer in the image: $(tail -n 5 "$work/demo.log")"
