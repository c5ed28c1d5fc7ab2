#!/bin/sh
# Removal keeps the ledger and the configuration. Only deb has purge, which removes both, and credentials next to the configuration.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$1" != purge ] || rm -rf /var/lib/cdr-exporter /etc/cdr-exporter
