# `make help` lists the targets. `make test` is everything that must pass before a change lands.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

GO    ?= go
TOOLS := $(CURDIR)/.tools/bin
PRISM := $(CURDIR)/.tools/prism/node_modules/.bin/prism
NODE := $(CURDIR)/.tools/node/bin/node
PLAYWRIGHT := $(CURDIR)/.tools/browser/node_modules/playwright-core/package.json

# Where tests find Prometheus, promtool and the OpenTelemetry Collector, and what drives Chromium.
export CDR_TOOLS_BIN := $(TOOLS)
export CDR_BROWSER   := $(CURDIR)/.tools/browser
# Manifests are checked against these definitions of Kubernetes, the Prometheus Operator and KEDA.
kubernetes_version   := v1.36.3
operator_version     := v0.94.1
keda_version         := v2.21.0
export CDR_SCHEMAS   := $(CURDIR)/.tools/schemas/$(kubernetes_version)-$(operator_version)-$(keda_version)
SCHEMAS      := $(CDR_SCHEMAS)/kubernetes.json
# The real parts that Go builds, and those that are fetched.
BUILT        := $(addprefix $(TOOLS)/,prometheus promtool otelcol otelcol-cdr helm kubeconform compose-check)
FETCHED      := $(SCHEMAS) $(PLAYWRIGHT) $(NODE)
# The version comes from the flags below; a clone that git doesn't trust builds too.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

# What `cdr-exporter version` prints.
git        = $(shell git $(1) 2>/dev/null || true)
VERSION    ?= $(or $(patsubst v%,%,$(call git,describe --tags --match 'v*' --dirty)),0.0.0-dev)
REVISION   ?= $(or $(call git,rev-parse --verify HEAD),unknown)
BRANCH     ?= $(or $(call git,rev-parse --abbrev-ref HEAD),unknown)
BUILD_DATE ?= $(or $(call git,log -1 --format=%cd --date=format:%Y%m%d-%H:%M:%S),unknown)
version_package := github.com/prometheus/common/version
LDFLAGS = -s -w -X $(version_package).Version=$(VERSION) -X $(version_package).Revision=$(REVISION) \
	-X $(version_package).Branch=$(BRANCH) -X $(version_package).BuildDate=$(BUILD_DATE)

TEST_TIMEOUT ?= 30m
FUZZTIME     ?= 10s
BENCH        ?= .
BENCHTIME    ?= 1s
LONG         ?= 20
HOURS        ?= 24
SEEDS        ?= 1000
CHAOS        ?= -kills 100
ROWS         ?= 100000
ROUNDS       ?= 1
LIFE         ?= 12m

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## the static binary, in dist/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/cdr-exporter ./cmd/cdr-exporter

# Tests. Debian's Node.js is too old for what some of them start: they take the pinned one.

test-all e2e conformance pictures: export PATH := $(dir $(NODE)):$(PATH)

.PHONY: test
test: ## tools, build, lint (go vet among it), drift, then all tests with the race detector, those of real parts too
	@for phase in packages tools build lint drift test-all; do \
		begin=$$SECONDS; echo "== $$phase"; \
		$(MAKE) $$phase || exit; \
		echo "== $$phase took $$((SECONDS - begin)) s"; \
	done

.PHONY: short
short: ## a quick run while you work: short tests, of the binary only its commands; no lint, no race detector, no tools
	@# They wait as long as they compute, so more packages at a time than cores, and the longest first; no debug data, which linkers take long for.
	$(GO) test -short -vet=off -ldflags='-s -w' -shuffle=on -p 5 ./internal/app ./internal/core/ledger ./cmd/... ./...

# Two runs at once, of four packages each: many tests wait for the programs they start. Without the race detector: docs and deploy read
# texts and start programs; providers and simulate play thousands of scripts, one step after the other, with code that is
# watched in its own tests. Collecting garbage under the race detector is expensive, and the heaps are small: so it runs
# seldom (GOGC). The race detector would also let each package sleep for a second before it ends (GORACE). The tests that drive
# the binary are built like it, and as lint looks at it, so that one kind of package less is compiled.
# Tests that start Prometheus, Alertmanager, the Collector or Chromium are compiled with the tag e2e and are called TestE2E….
.PHONY: test-all
test-all: packages $(TOOLS)/gotestsum real-parts
	@mkdir -p .tools
	@rm -f .tools/tests-*.json
	@failed=; \
	export GOGC=400 GORACE=atexit_sleep_ms=0 TMPDIR=$(SCRATCH); \
	{ CDR_RACE=1 CGO_ENABLED=0 $(call gotestsum,cmd) -trimpath ./cmd/... || failed=1; \
	  cd receiver && CGO_ENABLED=0 $(call gotestsum,receiver) -trimpath ./... && test -z "$$failed"; } & \
	$(call gotestsum,simulators) $(RACE) $(SIMULATORS:%=.%) || failed=1; \
	CGO_ENABLED=0 $(call gotestsum,unraced) -trimpath $(UNRACED) || failed=1; \
	$(call gotestsum,rest) $(RACE_PRODUCT) $$($(GO) list -tags e2e ./... | \
		grep -v -e '/cmd/' $(UNRACED:.%=-e 'cdr-exporter%$$') $(SIMULATORS:%=-e '%$$')) || failed=1; \
	wait $$! || failed=1; \
	test -z "$$failed"

# Tests write thousands of small files and databases. In memory, where they take 1.3 GB, that is a tenth faster. So 8 GB must be free and
# without a limit, and programs must run from there.
SCRATCH = $(or $(TMPDIR),$(shell f=$$(mktemp /dev/shm/XXXXXX 2>/dev/null) || exit; trap 'rm -f $$f' EXIT; chmod +x $$f; $$f && \
	! grep -qs '[0-9]' /sys/fs/cgroup/memory.max && awk '/MemAvailable/ { exit $$2 < 8e6 }' /proc/meminfo && \
	[ $$(df --output=avail -m /dev/shm | tail -1) -gt 4000 ] && echo /dev/shm),/tmp)

UNRACED := ./docs ./deploy ./deploy/systemd ./providers ./tools/simulate

# SQLite is C translated to Go, one goroutine to a connection: watching each of its memory accesses would take most of the time.
RACE := -race -gcflags=modernc.org/...=-race=false

# Simulators would take most of the time of the tests that start them: they are watched in their own tests.
SIMULATORS := /internal/simulator /collector/msgraph/sim /collector/ringcentral/sim /collector/declared/sim/wavix
RACE_PRODUCT := $(RACE) $(SIMULATORS:%=-gcflags=github.com/cdr-exporter/cdr-exporter%=-race=false)

# Lint has already done what `go test` would vet, and nobody debugs what is linked here.
gotestsum = $(TOOLS)/gotestsum --format standard-quiet --jsonfile-timing-events $(CURDIR)/.tools/tests-$(1).json -- \
	-vet=off -ldflags='-s -w' -shuffle=on -tags e2e -timeout $(TEST_TIMEOUT) -p 4

.PHONY: long
long: ## tests with random input, each with LONG (20) times as many cases; takes hours
	CDR_LONG=$(LONG) $(GO) test $(RACE_PRODUCT) -count=1 -timeout 24h ./collector/... ./internal/...

.PHONY: simulate
simulate: ## play SEEDS (1000) scripts of crashes and faults in simulated time; SEED=N plays one and prints its trace
	$(GO) test ./tools/simulate -run '^TestSimulation$$' -count=1 -timeout 24h -seeds $(SEEDS) $(if $(SEED),-seed $(SEED) -v)

.PHONY: chaos
chaos: packages ## kill, pause and cut off the exporter at random and compare its totals with the simulators' books: CHAOS='-kills 1000', '-kills 200 -replicas 3', '-for 8h'
	$(GO) run ./tools/chaos $(CHAOS)

.PHONY: soak
soak: packages ## chaos for HOURS (24): two thirds over SQLite with full disks, the rest with three replicas over PostgreSQL
	$(GO) run ./tools/chaos -for $$(($(HOURS) * 40))m
	$(GO) run ./tools/chaos -for $$(($(HOURS) * 20))m -replicas 3

.PHONY: compare
compare: ## run the exporter of an earlier commit beside this tree's on the same calls and compare what both count: COMPARE='-commit HEAD~1'
	$(GO) run ./tools/compare $(COMPARE)

.PHONY: e2e
e2e: packages real-parts ## only the tests that start real parts
	$(call some,TestE2E,e2e,./...)
	CDR_RACE=1 $(GO) test $(RACE_PRODUCT) -count=1 -tags e2e -timeout $(TEST_TIMEOUT) -run '^TestE2E' ./...
	cd receiver && $(GO) test -count=1 -tags e2e -timeout $(TEST_TIMEOUT) -run '^TestE2E' ./...

.PHONY: conformance
conformance: packages $(PRISM) $(NODE) ## our tables, requests and simulators against the providers' own specifications: SPECS=DIR
	@test -n '$(SPECS)' || { echo 'conformance: say where the specifications are: make conformance SPECS=DIR' >&2; exit 2; }
	@test -d '$(SPECS)' || { echo 'conformance: $(SPECS) is no folder' >&2; exit 2; }
	$(call some,Conformance,conformance,./collector/... ./cmd/...)
	SPECS='$(abspath $(SPECS))' CDR_PRISM='$(PRISM)' \
		$(GO) test -count=1 -timeout $(TEST_TIMEOUT) -tags conformance -run Conformance ./collector/... ./cmd/...

# some fails when no test of that name exists, which `go test` takes for success.
define some
@names=$$($(GO) test -tags $(2) -list '$(1)' $(3)); \
	grep -q '^Test' <<< "$$names" || { echo '$@: there is no test called $(1)' >&2; exit 1; }
endef

.PHONY: mutants
mutants: ## put defects into the code, one at a time: a test must find each; MUTANTS='-run late' chooses some
	$(GO) run ./tools/mutants $(MUTANTS)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package name; do \
		echo "== $$name in $$package"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" < /dev/null || exit; \
	done

.PHONY: bench
bench: ## the benchmarks: BENCH=REGEXP, BENCHTIME=1s
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 60m ./bench/...

.PHONY: bench-peers
bench-peers: packages build $(TOOLS)/telegraf ## cdr-exporter, Telegraf and PostgreSQL on the same rows: ROWS=100000, ROUNDS=1, LIFE=12m, DOCS=FILE
	$(GO) run ./bench/peers -rows $(ROWS) -rounds $(ROUNDS) -life $(LIFE) $(if $(DOCS),-docs $(DOCS))

# Checks.

# A fifth of what the linters do by default is to collect garbage (GOGC).
.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint: what go vet finds, style, and which room may import which
	@# With the flags of build, whose packages are compiled already.
	CGO_ENABLED=0 GOFLAGS=-trimpath GOGC=400 $(TOOLS)/golangci-lint run ./...
	cd receiver && CGO_ENABLED=0 GOFLAGS=-trimpath GOGC=400 $(TOOLS)/golangci-lint run ./...

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## format, and mend what the linters can mend
	$(TOOLS)/golangci-lint fmt ./...
	$(TOOLS)/golangci-lint run --fix ./...

.PHONY: stack
stack: export ONLY := prometheus-alertmanager
stack: packages $(TOOLS)/prometheus ## watch a trunk fail: the demo's providers, exporter, Prometheus, Alertmanager and a page
	$(GO) run ./tools/stack

.PHONY: pictures
pictures: packages $(TOOLS)/prometheus $(PLAYWRIGHT) $(NODE) ## the pictures of the status page in the middle of an incident, taken from the stack
	$(GO) build -o dist/stack ./tools/stack
	CDR_CHROMIUM="$${CDR_CHROMIUM:-$$(command -v chromium)}" $(NODE) tools/browser/pictures.mjs dist/stack docs/images

.PHONY: size
size: ## lines of Go by room, without tests, beside what each may have
	@tools/size.sh

.PHONY: generate
generate: $(TOOLS)/helm ## write rules, dashboards, manifests, the configuration's schema and the tables of the docs again; tests fail while one is stale
	$(GO) test ./internal/monitoring/rules -run Generated -update
	$(GO) test ./internal/monitoring/dashboards -run 'Current|DocsList' -update
	$(GO) test ./internal/core/metrics ./collector/ringcentral -run 'DocsShow|Definitions' -update
	$(GO) test ./docs -run 'DocsShow|Figures|TestEveryRuleHasATest' -update
	$(GO) test ./internal/config -run SchemaCurrent -update
	$(GO) test -tags e2e ./deploy -run Manifests -update

.PHONY: deploy-check
deploy-check: packages $(BUILT) $(SCHEMAS) ## only the tests of the Helm chart and of the compose file
	$(GO) test -count=1 -tags e2e ./deploy/

.PHONY: drift
drift: ## fail if `go mod tidy` would change a file
	$(GO) mod tidy -diff
	$(GO) -C receiver mod tidy -diff

.PHONY: deadcode
deadcode: $(TOOLS)/deadcode ## functions that nothing reaches
	@found=$$($(TOOLS)/deadcode -test -tags e2e,conformance ./...); test -z "$$found" || { echo "$$found"; exit 1; }

.PHONY: vuln
vuln: $(TOOLS)/govulncheck ## known vulnerabilities; asks a database on the network
	$(TOOLS)/govulncheck ./...

# The image.

.PHONY: image-files
image-files: build
	mkdir -p dist/image/data dist/image/tmp
	cp dist/cdr-exporter dist/image/cdr-exporter
	cp /etc/ssl/certs/ca-certificates.crt dist/image/ca-certificates.crt

.PHONY: image-check
image-check: image-files ## build the image without an engine (buildah, skopeo; as root) and look into it
	tools/image-check.sh

# Releases.

.PHONY: release-files
release-files: build ## the man page and the completions of bash, zsh and fish, in dist/files
	rm -rf dist/files && mkdir -p dist/files
	dist/cdr-exporter --help-man | sed '1,/^cdr-exporter$$/c\.TH cdr-exporter 1 "" "cdr-exporter $(VERSION)"\n.SH NAME\ncdr-exporter \\- count call records' | \
		gzip -9n > dist/files/cdr-exporter.1.gz
	dist/cdr-exporter --completion-script-bash > dist/files/cdr-exporter.bash
	dist/cdr-exporter --completion-script-zsh > dist/files/_cdr-exporter
	cp deploy/package/cdr-exporter.fish dist/files/

.PHONY: snapshot
snapshot deb: export PATH := $(TOOLS):$(PATH)
snapshot deb: export VERSION := $(VERSION)
snapshot deb: export LDFLAGS := $(LDFLAGS)
snapshot: $(TOOLS)/goreleaser $(TOOLS)/syft ## everything that a release has, unpublished, in dist/release; GORELEASER='release --clean' publishes
	goreleaser $(or $(GORELEASER),release --snapshot --clean)

.PHONY: deb
deb: $(TOOLS)/goreleaser ## only the deb and the rpm for this machine, in dist/release
	mkdir -p dist && sed 's/targets: .*/targets: [linux_$(shell $(GO) env GOARCH)]/' .goreleaser.yaml > dist/goreleaser.yaml
	goreleaser release --snapshot --clean --skip=archive,sbom --config dist/goreleaser.yaml

.PHONY: release-check
release-check: $(TOOLS)/goreleaser $(TOOLS)/syft ## two snapshots of the last commit have the same bytes and hold what they should
	tools/release-check.sh $(TOOLS)

.PHONY: package-check
package-check: ## install, start, upgrade, remove the packages of dist/release in a clean root (debootstrap, rpm; as root)
	tools/package-check.sh

# Tools. Each has a separate module, so that none of them decides about the versions that we ship.

.PHONY: tools
tools: ## build the pinned tools and real parts that tests need, what is there already aside
	@# Go's one after the other: what several of them need is compiled once. What mostly waits for the network goes beside them.
	@$(MAKE) $(FETCHED) & GOGC=400 $(MAKE) $(BUILT) $(addprefix $(TOOLS)/,golangci-lint gotestsum); wait $$!

.PHONY: real-parts
real-parts: $(BUILT) $(FETCHED)

# Nobody debugs them: debug data isn't even compiled. Their modules require the same versions of what they share, so that it is compiled once.
tool = @echo "building $(@F)"; mkdir -p $(TOOLS); \
	CGO_ENABLED=0 $(GO) build -C tools/$(1) -trimpath -gcflags=all=-dwarf=false -ldflags '-s -w $(3)' -o $@ $(2); touch $@

$(TOOLS)/golangci-lint: tools/golangci/go.mod tools/golangci/go.sum
	$(call tool,golangci,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

# Prometheus calls v3.15.0 v0.315.0 as a module.
prometheus_version = $(shell sed -nE 's|.*github.com/prometheus/prometheus v0\.([0-9])0*([0-9]+)\.([0-9]+).*|\1.\2.\3|p' tools/prometheus/go.mod)
$(TOOLS)/prometheus $(TOOLS)/promtool: tools/prometheus/go.mod tools/prometheus/go.sum
	$(call tool,prometheus,-tags remove_all_sd github.com/prometheus/prometheus/cmd/$(@F),-X $(version_package).Version=$(prometheus_version))

$(TOOLS)/otelcol: tools/otelcol/go.mod tools/otelcol/go.sum tools/otelcol/main.go
	$(call tool,otelcol,.)

# The Collector with our receiver, made by the Collector's builder. The builder
# fails where it tidies modules: a test of the file exporter wants one that can't be had. What it has written by then builds.
receiver_code := $(shell find go.mod receiver internal collector exporters -type f ! -name '*_test.go' ! -path '*/testdata/*' ! -path '*/sim/*')
otelcol_cdr := $(CURDIR)/.tools/otelcol-cdr
$(TOOLS)/builder: tools/builder/go.mod tools/builder/go.sum
	$(call tool,builder,go.opentelemetry.io/collector/cmd/builder)
$(TOOLS)/otelcol-cdr: $(TOOLS)/builder tools/builder/manifest.yaml $(receiver_code)
	@echo "building $(@F)"; rm -rf $(otelcol_cdr); mkdir -p $(otelcol_cdr)
	@sed 's|ROOT|$(CURDIR)|' tools/builder/manifest.yaml > $(otelcol_cdr)/manifest.yaml
	@cd $(otelcol_cdr) && { $(TOOLS)/builder --config manifest.yaml --skip-compilation > log 2>&1 || test -s out/go.mod || { cat log >&2; exit 1; }; }
	@CGO_ENABLED=0 $(GO) build -C $(otelcol_cdr)/out -mod=mod -trimpath -ldflags '-s -w' -o $@ .; touch $@

$(TOOLS)/helm: tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(call tool,kubernetes,helm.sh/helm/v4/cmd/helm)
$(TOOLS)/kubeconform: tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(call tool,kubernetes,github.com/yannh/kubeconform/cmd/kubeconform)

module = $$($(GO) mod download -json $(1) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')
$(SCHEMAS):
	@echo "fetching schemas"; mkdir -p $(@D)
	@install -m 644 $(call module,k8s.io/kubernetes@$(kubernetes_version))/api/openapi-spec/swagger.json $@
	@operator=$(call module,github.com/prometheus-operator/prometheus-operator@$(operator_version)); \
	for kind in servicemonitors prometheusrules; do \
		install -m 644 $$operator/example/prometheus-operator-crd/monitoring.coreos.com_$$kind.yaml $(@D)/$$kind.yaml; \
	done
	@install -m 644 $(call module,github.com/kedacore/keda/v2@$(keda_version))/config/crd/bases/keda.sh_scaledobjects.yaml $(@D)/scaledobjects.yaml

$(TOOLS)/compose-check: tools/compose/go.mod tools/compose/go.sum tools/compose/main.go
	$(call tool,compose,.)

# Telegraf with nothing but the plugins that bench/peers/configs/telegraf*.conf name.
telegraf_tags := custom,inputs.http,parsers.json_v2,aggregators.histogram,outputs.prometheus_client,outputs.http,serializers.json
$(TOOLS)/telegraf: tools/telegraf/go.mod tools/telegraf/go.sum
	$(call tool,telegraf,-tags $(telegraf_tags) github.com/influxdata/telegraf/cmd/telegraf)

checks := tools/checks/go.mod tools/checks/go.sum
$(TOOLS)/gotestsum: $(checks)
	$(call tool,checks,gotest.tools/gotestsum)
$(TOOLS)/deadcode: $(checks)
	$(call tool,checks,golang.org/x/tools/cmd/deadcode)
$(TOOLS)/govulncheck: $(checks)
	$(call tool,checks,golang.org/x/vuln/cmd/govulncheck)

$(TOOLS)/goreleaser: tools/goreleaser/go.mod tools/goreleaser/go.sum
	$(call tool,goreleaser,github.com/goreleaser/goreleaser/v2)
$(TOOLS)/syft: tools/syft/go.mod tools/syft/go.sum
	$(call tool,syft,github.com/anchore/syft/cmd/syft)

# npm: $(call npm,NAME,COMMAND) installs what the lock file of tools/NAME pins, and runs the command, if any.
define npm
@command -v npm > /dev/null || { echo '$(1) needs Node.js and npm: apt-get install nodejs npm' >&2; exit 1; }
@echo "installing $(1)"; mkdir -p $(CURDIR)/.tools/$(1)
cp tools/$(1)/package.json tools/$(1)/package-lock.json $(CURDIR)/.tools/$(1)/
cd $(CURDIR)/.tools/$(1) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
$(2)
test -e $@ && touch $@
endef

# Prism serves OpenAPI documents and checks what goes by.
$(PRISM): tools/prism/package.json tools/prism/package-lock.json
	$(call npm,prism)

# Node.js itself, as npm has it. Not every npm links the program of an optional package (Debian's doesn't): we do.
$(NODE): tools/node/package.json tools/node/package-lock.json
	$(call npm,node,mkdir -p $(dir $@) && cd $(dir $@) && ln -sf ../node_modules/node-linux-*/bin/node node && ./node --version)

# What drives Chromium.
$(PLAYWRIGHT): tools/browser/package.json tools/browser/package-lock.json
	$(call npm,browser)

# What tests need of the system, or ONLY that package: what is missing is installed, as root on Debian.
.PHONY: packages
packages:
	@missing=(); need() { [ -n "$${ONLY-}" ] && [ "$$2" != "$$ONLY" ] || command -v "$$1" > /dev/null || missing+=("$${@:2}"); }; \
	need "$$($(GO) env CC)" gcc libc6-dev; need chromium chromium; need "$$(command -v alertmanager || echo prometheus-alertmanager)" prometheus-alertmanager; \
	need node nodejs; need npm npm; need systemd-analyze systemd; \
	PATH="$$PATH:$${CDR_POSTGRES_BIN-}:$$(echo /usr/lib/postgresql/*/bin | tr ' ' :)" need initdb postgresql; \
	need prometheus-sql-exporter prometheus-sql-exporter; \
	need mariadbd mariadb-server; need kamailio kamailio kamailio-mysql-modules; need sipp sip-tester; \
	[ $${#missing[@]} = 0 ] && exit; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "installing $${missing[*]}"; apt-get update -qq || true; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$${missing[@]}" > /dev/null; \
	else \
		echo "$${missing[*]} must be there: install them (as root on Debian this is done here)" >&2; exit 1; \
	fi

.PHONY: clean
clean: ## remove what was built, the tools too
	rm -rf dist .tools
