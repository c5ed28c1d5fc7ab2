#!/bin/sh
# deb: configure [OLD-VERSION]; rpm: the number of versions installed.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart cdr-exporter.service # after an upgrade, if it runs
fi
case "$1 $2" in
"configure " | "1 ")
	cat << 'EOF'
cdr-exporter is installed. It isn't started yet: it must know first which accounts to read.
  1. name them in /etc/cdr-exporter/config.yaml
  2. cdr-exporter check config /etc/cdr-exporter/config.yaml
  3. systemctl enable --now cdr-exporter
EOF
	;;
esac
