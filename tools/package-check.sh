#!/usr/bin/env bash
# Installs the packages of dist/release in a clean Debian root, starts the service by its unit's command line as its user
# against the demo's simulated providers, upgrades, removes and purges it; then the same with the rpm.
# Needs root, debootstrap, rpm and a Debian mirror (MIRROR=https://…).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "package-check: $*" >&2; exit 1; }
say() { echo "package-check: $*"; }
[ "$(id -u)" = 0 ] || fail "needs root"
for tool in debootstrap dpkg-deb rpm chroot; do command -v "$tool" > /dev/null || fail "$tool is missing"; done
arch=$(dpkg --print-architecture)
deb=$(echo dist/release/*_"$arch".deb) rpm=$(echo dist/release/*."$(uname -m)".rpm)
[ -s "$deb" ] && [ -s "$rpm" ] || fail "no packages in dist/release: make release-check"

work=$(mktemp -d) root=$work/root service= demo=
end() {
	for process in $service $demo; do kill -KILL "$process" 2> /dev/null && wait "$process" || true; done
	umount "$root/proc" 2> /dev/null || true
	rm -rf "$work"
}
trap end EXIT
debootstrap --variant=minbase --include=systemd,systemd-sysv "${SUITE:-bookworm}" "$root" "${MIRROR:-http://deb.debian.org/debian}" > "$work/log" 2>&1 || { tail "$work/log" >&2; fail "no clean root"; }
mount -t proc proc "$root/proc"
inside() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
mode() { inside stat -c '%a %U:%G %n' "$@"; }
say "a clean root is there after $SECONDS s"

files() { # what a package must have put in place
	local want='750 root:cdr-exporter /etc/cdr-exporter
640 root:cdr-exporter /etc/cdr-exporter/config.yaml
750 cdr-exporter:cdr-exporter /var/lib/cdr-exporter
755 root:root /usr/bin/cdr-exporter
644 root:root /usr/lib/systemd/system/cdr-exporter-report.service
644 root:root /usr/lib/systemd/system/cdr-exporter-report.timer
644 root:root /usr/lib/systemd/system/cdr-exporter.service'
	diff <(mode $(awk '{ print $3 }' <<< "$want")) - <<< "$want" || fail "files are otherwise"
	[ ! -e "$root/etc/systemd/system/multi-user.target.wants/cdr-exporter.service" ] || fail "the unit was enabled"
}

user=(chroot "$root" setpriv --reuid=cdr-exporter --regid=cdr-exporter --init-groups --no-new-privs)

service_start() { # the unit's command line, as its user
	local command
	command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/cdr-exporter.service")
	# shellcheck disable=SC2086 # systemd splits it too
	"${user[@]}" ${command/\$CDR_EXPORTER_ARGS/--web.listen-address=127.0.0.1:$port} >> "$work/service.log" 2>&1 &
	service=$!
	for _ in {1..100}; do
		! "${user[@]}" cdr-exporter healthcheck --web.listen-address="127.0.0.1:$port" 2> /dev/null || return 0
		kill -0 "$service" 2> /dev/null || break
		sleep 0.1
	done
	fail "the service isn't healthy: $(tail -n 5 "$work/service.log")"
}

service_stop() {
	kill -TERM "$service"
	wait "$service" || fail "the service ended with status $?: $(tail -n 5 "$work/service.log")"
	service=
}

run=(cdr-exporter run --config.file=/etc/cdr-exporter/config.yaml)
ledger() { "${user[@]}" cdr-exporter ledger "$1" --config.file=/etc/cdr-exporter/config.yaml; }
origins() { ledger show | grep '^origin'; }
calls() { ledger show | awk '/^counted calls/ { n += $3 } END { print n+0 }'; }

counted() { # MORE: waits until more calls than that were counted
	for _ in {1..100}; do
		[ "$(calls)" -le "$1" ] || return 0
		sleep 0.2
	done
	fail "nothing is counted: $(tail -n 5 "$work/service.log")"
}

configure_demo() { # the service's configuration names the demo's providers; RingCentral lets one process in at a time, Teams' webhook too
	"${user[@]}" cdr-exporter demo --web.listen-address="127.0.0.1:$((port + 1))" > "$work/demo.log" 2>&1 &
	demo=$!
	local folder
	for _ in {1..100}; do
		! grep -q 'Press Ctrl-C' "$work/demo.log" || break
		sleep 0.1
	done
	folder=$(echo "$root"/tmp/cdr-exporter-demo-*)
	sed -e '/webhook:/d; /- name: acme/,/- name: wave/{/- name: wave/!d}' -e 's|path: ".*"|path: /var/lib/cdr-exporter|' \
		"$folder/config.yaml" > "$root/etc/cdr-exporter/config.yaml"
	install -m 644 "$folder"/{*.pem,people.csv,Master.csv,queue_log} "$root/etc/cdr-exporter/"
}

# under_systemd boots the root's systemd in new namespaces, and runs the unit with all its restrictions.
under_systemd() {
	echo "CDR_EXPORTER_ARGS=--web.listen-address=127.0.0.1:$port" > "$root/etc/cdr-exporter/environment"
	mkdir -p "$root/oldroot"
	cat > "$work/boot" <<-'EOF'
		set -e
		cd "$1"
		mount --make-rprivate /
		mount --bind . "$1"
		cd "$1"
		mount -t proc proc proc
		mount -t sysfs sysfs sys
		mount -t cgroup2 cgroup2 sys/fs/cgroup
		mount -t devtmpfs devtmpfs dev
		mount -t tmpfs -o mode=755 tmpfs run
		pivot_root . oldroot
		cd /
		umount -l oldroot
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other /lib/systemd/systemd --unit=multi-user.target
	EOF
	# The end of unshare ends all that runs in there.
	unshare --fork --pid --mount --uts --ipc --cgroup --kill-child=KILL bash "$work/boot" "$root" > "$work/systemd.log" 2>&1 &
	service=$!
	local init
	for _ in {1..100}; do
		init=$(ps -o pid= --ppid "$service" | tr -d ' ') || true
		[ -z "$init" ] || ! booted systemctl is-system-running > /dev/null 2>&1 || break
		sleep 0.1
	done
	booted systemctl enable --now cdr-exporter || fail "the unit doesn't start: $(booted journalctl --no-pager -u cdr-exporter | tail -n 5)"
	for _ in {1..100}; do
		! booted cdr-exporter healthcheck --web.listen-address="127.0.0.1:$port" 2> /dev/null || break
		sleep 0.1
	done
	booted systemctl reload cdr-exporter
	counted "$before"
	booted cdr-exporter healthcheck --web.listen-address="127.0.0.1:$port"
	booted systemctl disable --now cdr-exporter
	booted systemctl show --property=Result --value cdr-exporter | grep -q success || fail "the unit ended otherwise"
	kill -KILL "$service"
	wait "$service" 2> /dev/null || true
	service=
	say "the unit ran under systemd with all its restrictions, reloaded, stopped"
}
booted() { nsenter --target "$init" --mount --pid --uts --ipc --cgroup --root --wd "$@"; }

cycle() { # INSTALL UPGRADE: the same for both kinds of package
	local before origin
	port=$((20000 + RANDOM % 10000))
	"$1"
	files
	# As installed, the service says what is missing, and what the commented example says is right.
	! "${user[@]}" "${run[@]}" > "$work/first" 2>&1 || fail "it ran without an account"
	grep 'sources: is missing' "$work/first" || fail "it doesn't say what is missing: $(< "$work/first")"
	sed -i '/^#sources:/,$s/^#//' "$root/etc/cdr-exporter/config.yaml"
	for secret in contoso-secret acme-secret acme-jwt wave-key; do
		install -m 640 /dev/null "$root/etc/cdr-exporter/$secret"
		echo not-a-secret > "$root/etc/cdr-exporter/$secret"
		inside chgrp cdr-exporter "/etc/cdr-exporter/$secret"
	done
	"${user[@]}" cdr-exporter check config /etc/cdr-exporter/config.yaml || fail "the example in the configuration is wrong"

	configure_demo
	service_start
	counted 1000
	service_stop
	before=$(calls) origin=$(origins)
	say "started by its unit's command line as $("${user[@]}" id -un), healthy, $before calls counted, stopped"
	"$2"
	grep -q 'path: /var/lib/cdr-exporter' "$root/etc/cdr-exporter/config.yaml" && grep -q 127.0.0.1 "$root/etc/cdr-exporter/config.yaml" ||
		fail "the upgrade replaced the configuration"
	[ "$(calls)" = "$before" ] || fail "the ledger has $(calls) calls after the upgrade, $before before"
	service_start
	counted "$before"
	service_stop
	before=$(calls)
	[ "$1" != deb_install ] || under_systemd
	[ "$(origins)" = "$origin" ] || fail "the ledger began anew: $(origins)"
	ledger verify | tail -n 1
	say "upgraded with its configuration and its ledger, which went on to $(calls) calls"
	kill -TERM "$demo"
	wait "$demo" || fail "the demo ended with status $?"
	demo=
}

cp "$deb" "$root/one.deb"
cp "$rpm" "$root/one.rpm"
dpkg-deb -R "$deb" "$work/next" # the upgrade: the same files under a later version
sed -i 's/^Version: .*/Version: 999.0.0/' "$work/next/DEBIAN/control"
dpkg-deb -b --root-owner-group "$work/next" "$root/two.deb" > /dev/null

deb_install() { inside dpkg -i /one.deb | tee "$work/said"; grep -q 'systemctl enable --now cdr-exporter' "$work/said" || fail "it doesn't say what to do next"; }
deb_upgrade() { inside dpkg -i /two.deb | tee "$work/said"; ! grep -q 'enable --now' "$work/said" || fail "an upgrade needs no first steps"; }
cycle deb_install deb_upgrade
inside dpkg -r cdr-exporter
[ -e "$root/etc/cdr-exporter/config.yaml" ] && [ -n "$(ls "$root/var/lib/cdr-exporter")" ] || fail "removal took the configuration or the ledger"
[ ! -e "$root/usr/bin/cdr-exporter" ] || fail "removal left the binary"
inside dpkg -P cdr-exporter
[ ! -e "$root/etc/cdr-exporter" ] && [ ! -e "$root/var/lib/cdr-exporter" ] || fail "purge left configuration or ledger"
say "deb: removed with configuration and ledger kept, then purged"

rpm_install() { rpm --root "$root" -i --nodeps --noplugins "$rpm"; }
rpm_upgrade() { rpm --root "$root" -U --nodeps --force "$rpm"; }
inside userdel cdr-exporter
cycle rpm_install rpm_upgrade
rpm --root "$root" -e --nodeps cdr-exporter
[ -n "$(ls "$root/var/lib/cdr-exporter")" ] && [ ! -e "$root/usr/bin/cdr-exporter" ] || fail "rpm: removal took the ledger, or left the binary"
say "rpm: installed, started, upgraded, removed; all done after $SECONDS s"
