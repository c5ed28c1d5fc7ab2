#!/usr/bin/env bash
# Installs the packages of dist/release in a clean Debian root, starts the service by its unit's command line as its user,
# upgrades, removes and purges it; then the same with the rpm. Needs root, debootstrap, rpm and Debian's mirror.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "package-check: $*" >&2; exit 1; }
say() { echo "package-check: $*"; }
[ "$(id -u)" = 0 ] || fail "needs root"
for tool in debootstrap dpkg-deb rpm chroot; do command -v "$tool" > /dev/null || fail "$tool is missing"; done
arch=$(dpkg --print-architecture)
deb=$(echo dist/release/*_"$arch".deb) rpm=$(echo dist/release/*."$(uname -m)".rpm)
[ -s "$deb" ] && [ -s "$rpm" ] || fail "no packages in dist/release: make release-check"

work=$(mktemp -d) root=$work/root service=
end() {
	[ -z "$service" ] || kill "$service" 2> /dev/null || true
	umount "$root/proc" 2> /dev/null || true
	rm -rf "$work"
}
trap end EXIT
debootstrap --variant=minbase "${SUITE:-bookworm}" "$root" "${MIRROR:-http://deb.debian.org/debian}" > "$work/log" 2>&1 || { tail "$work/log" >&2; fail "no clean root"; }
mount -t proc proc "$root/proc"
inside() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
mode() { inside stat -c '%a %U:%G %n' "$@"; }
say "a clean root is there after $SECONDS s"

files() { # what a package must have put in place
	local want='750 root:cdr-exporter /etc/cdr-exporter
640 root:cdr-exporter /etc/cdr-exporter/config.yaml
750 cdr-exporter:cdr-exporter /var/lib/cdr-exporter
755 root:root /usr/bin/cdr-exporter
644 root:root /usr/lib/systemd/system/cdr-exporter.service'
	diff <(mode $(awk '{ print $3 }' <<< "$want")) - <<< "$want" || fail "files are otherwise"
	[ ! -e "$root/etc/systemd/system/multi-user.target.wants/cdr-exporter.service" ] || fail "the unit was enabled"
}

user() { inside setpriv --reuid=cdr-exporter --regid=cdr-exporter --init-groups --no-new-privs "$@"; }

service_start() { # the unit's command line, as its user
	local command
	command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/cdr-exporter.service")
	CDR_EXPORTER_ARGS=--web.listen-address=127.0.0.1:$port
	user ${command/\$CDR_EXPORTER_ARGS/$CDR_EXPORTER_ARGS} >> "$work/service.log" 2>&1 &
	service=$!
	for _ in {1..100}; do
		! user cdr-exporter healthcheck --web.listen-address="127.0.0.1:$port" 2> /dev/null || return 0
		kill -0 "$service" 2> /dev/null || break
		sleep 0.1
	done
	fail "the service isn't healthy: $(tail -n 5 "$work/service.log")"
}

service_stop() {
	pkill -TERM --parent "$service" 2> /dev/null || kill -TERM "$service"
	wait "$service" || fail "the service ended with status $?: $(tail -n 5 "$work/service.log")"
	service=
}

ledger() { user cdr-exporter ledger show --config.file=/etc/cdr-exporter/config.yaml; }

cycle() { # INSTALL UPGRADE: the same for both kinds of package
	port=$((20000 + RANDOM % 10000))
	"$1"
	files
	# As installed, the service says what is missing, and what the commented example says is right.
	user cdr-exporter run --config.file=/etc/cdr-exporter/config.yaml > "$work/first" 2>&1 && fail "it ran without an account"
	grep 'sources: is missing' "$work/first" || fail "it doesn't say what is missing: $(< "$work/first")"
	sed -i 's/^#\(sources:\|  \)/\1/' "$root/etc/cdr-exporter/config.yaml"
	for secret in contoso-secret acme-secret acme-jwt wave-key; do
		(umask 027; echo not-a-secret > "$root/etc/cdr-exporter/$secret"; chroot "$root" chgrp cdr-exporter "/etc/cdr-exporter/$secret")
	done
	user cdr-exporter check config /etc/cdr-exporter/config.yaml
	service_start
	service_stop
	say "started by its unit's command line as $(user id -un), healthy, stopped"
	origin=$(ledger)
	sed -i 's/^storage:/# mine\nstorage:/' "$root/etc/cdr-exporter/config.yaml"
	"$2"
	grep -q '# mine' "$root/etc/cdr-exporter/config.yaml" || fail "the upgrade replaced the configuration"
	[ "$(ledger | head -n 5)" = "$(head -n 5 <<< "$origin")" ] || fail "the ledger is another one: $(ledger)"
	service_start
	service_stop
	say "upgraded, with its configuration and its ledger, and started again"
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
