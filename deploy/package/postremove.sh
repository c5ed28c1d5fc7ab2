#!/bin/sh
# Removal keeps the ledger and the configuration. Only deb knows purge, which takes both, and credentials beside the configuration.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$1" != purge ] || rm -rf /var/lib/cdr-exporter /etc/cdr-exporter
