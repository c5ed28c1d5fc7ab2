#!/usr/bin/env bash
# Prints the lines of Go of each package, without tests and with comments, next to its budget.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lines() { # FOLDER...: of the Go files below them that git knows, without tests and simulators
	git ls-files -co --exclude-standard -- "$@" | grep '\.go$' | grep -v -e '_test\.go$' -e '/sim/' -e '/declaredtest/' | tr '\n' '\0' | xargs -0 cat | wc -l
}
own() { # FOLDER: lines of its files, without those in subfolders
	git ls-files -co --exclude-standard -- "$1" | grep -E "^$1/[^/]+\.go$" | grep -v '_test\.go$' | tr '\n' '\0' | xargs -0 cat | wc -l
}
sims() { git ls-files -co --exclude-standard -- collector internal/simulator | grep '\.go$' | grep -v '_test\.go$' | grep -e '/sim/' -e '^internal/simulator/' | tr '\n' '\0' | xargs -0 cat | wc -l; }

product=0
room() { # NAME LINES BUDGET
	product=$((product + $2))
	printf '%-46s %6d %6d\n' "$1" "$2" "$3"
}
printf '%-46s %6s %6s\n' room lines budget
room "cmd, app, web, config, demo" "$(($(lines cmd internal/app internal/providers internal/monitoring/thresholds) + $(own internal/config)))" 8800
room "collector without providers, httpclient, wire" "$(($(own collector) + $(lines collector/plan collector/advice collector/httpclient collector/wire internal/witness internal/core/work)))" 4000
room "msgraph" "$(lines collector/msgraph)" 3300
room "ringcentral" "$(lines collector/ringcentral)" 1000
room "definitions" "$(lines collector/declared)" 4800
room "cdr, labels" "$(($(own internal/cdr) + $(lines internal/labels)))" 2300
room "calls, counting, facts, pack" "$(lines internal/core/calls internal/core/counting internal/core/facts internal/core/pack)" 2500
room "metrics" "$(lines internal/core/metrics)" 2000
room "ledger" "$(lines internal/core/ledger)" 4300
room "history, report, incident, audit" "$(lines internal/analysis/disksort internal/analysis/history internal/analysis/report internal/analysis/incident internal/analysis/audit)" 1600
room "match, explain" "$(lines internal/analysis/match internal/analysis/explain)" 900
room "provider test" "$(lines internal/analysis/laws)" 900
room "exporters" "$(lines exporters)" 2400
printf '%-46s %6d %6d\n' product "$product" 38800
printf '%-46s %6d %6d\n' simulators "$(sims)" 6500
printf '%-46s %6d %6d\n' "tools, rules, dashboards" "$(lines tools internal/monitoring/rules internal/monitoring/dashboards dashboards)" 4500
printf '%-46s %6d\n' "used by tests and benchmarks alone" "$(($(lines bench docs internal/cdr/cdrtest internal/config/configtest internal/golden internal/pgtest internal/smalldisk internal/long collector/providertest) + $(cat collector/declared/declaredtest/*.go | wc -l)))"
printf '%-46s %6d %6d\n' "receiver (a module of its own)" "$(lines receiver)" 700
