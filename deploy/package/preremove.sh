#!/bin/sh
# deb: remove, upgrade and others; rpm: the number of versions that stay.
set -e
case "$1" in
remove | 0) [ ! -d /run/systemd/system ] || systemctl disable --now cdr-exporter.service cdr-exporter-report.timer ;;
esac
