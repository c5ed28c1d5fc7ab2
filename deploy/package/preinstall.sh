#!/bin/sh
# The user must exist before the files that belong to its group.
set -e
getent passwd cdr-exporter > /dev/null ||
	useradd --system --user-group --home-dir /var/lib/cdr-exporter --no-create-home --shell /usr/sbin/nologin cdr-exporter
