#!/usr/bin/env bash
# Prints the lines of Go of each package, without tests and with comments, next to its budget.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lines() { # FOLDER...: of the Go files below them that git knows, without tests and simulators
	git ls-files -co --exclude-standard -- "$@" | grep '\.go$' | grep -v -e '_test\.go$' -e '/sim/' | tr '\n' '\0' | xargs -0 cat | wc -l
}
own() { # FOLDER: of its own files alone
	git ls-files -co --exclude-standard -- "$1" | grep -E "^$1/[^/]+\.go$" | grep -v '_test\.go$' | tr '\n' '\0' | xargs -0 cat | wc -l
}
sims() { git ls-files -co --exclude-standard -- collector internal/simulator | grep '\.go$' | grep -v '_test\.go$' | grep -e '/sim/' -e '^internal/simulator/' | tr '\n' '\0' | xargs -0 cat | wc -l; }

product=0
room() { # NAME LINES BUDGET
	product=$((product + $2))
	printf '%-46s %6d %6d\n' "$1" "$2" "$3"
}
printf '%-46s %6s %6s\n' room lines budget
room "cmd, app, web, config, demo" "$(($(lines cmd internal/app internal/app/web internal/app/demo internal/providers internal/monitoring/thresholds) + $(own internal/config)))" 7000
room "collector without providers, httpclient, wire" "$(($(own collector) + $(lines collector/plan collector/advice collector/httpclient collector/wire internal/witness internal/core/work)))" 4700
room "msgraph" "$(lines collector/msgraph)" 3000
room "ringcentral" "$(lines collector/ringcentral)" 1600
room "wavix" "$(lines collector/wavix)" 1500
room "definitions" "$(lines collector/declared)" 2500
room "cdr, labels" "$(($(own internal/cdr) + $(lines internal/labels)))" 1500
room "counting, facts, pack" "$(lines internal/core/counting internal/core/facts internal/core/pack)" 1200
room "metrics" "$(lines internal/core/metrics)" 1900
room "ledger" "$(lines internal/core/ledger)" 4000
room "history, report" "$(lines internal/analysis/history internal/analysis/report)" 800
room "audit" "$(lines internal/analysis/audit)" 600
room "exporters" "$(lines exporters)" 2000
printf '%-46s %6d %6d\n' product "$product" 31500
printf '%-46s %6d %6d\n' simulators "$(sims)" 9500
printf '%-46s %6d %6d\n' "tools, rules, dashboards" "$(lines tools internal/monitoring/rules internal/monitoring/dashboards dashboards)" 5000
printf '%-46s %6d\n' "used by tests and benchmarks alone" "$(lines bench docs internal/cdr/cdrtest internal/config/configtest internal/golden internal/pgtest internal/long collector/providertest)"
printf '%-46s %6d %6d\n' "receiver (a module of its own)" "$(lines receiver)" 700
