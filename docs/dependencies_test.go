package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// reasons say why we depend on a module. A new dependency gets its line here; try the standard library first.
const reasons = `
github.com/Azure/azure-sdk-for-go/sdk/azcore the types of azidentity
github.com/Azure/azure-sdk-for-go/sdk/azidentity tokens of Microsoft Entra, for every kind of credential
github.com/alecthomas/kingpin/v2 command line, completions and man page, as in every Prometheus exporter
github.com/cockroachdb/apd/v3 decimal arithmetic: money is never a float
github.com/dchest/siphash short keyed hashes of record ids in the ledger
github.com/go-json-experiment/json encoding/json/v2 before it is stable: strict decoding, twice as fast
github.com/go-logr/logr keeps the OpenTelemetry SDK from writing to stderr by itself
github.com/gofrs/flock the lock of the ledger, on every system
github.com/expr-lang/expr expressions in definitions of providers
github.com/go-sql-driver/mysql calls in MySQL and MariaDB, by definitions of providers
github.com/golang-jwt/jwt/v5 signed tokens of the simulated tenant
github.com/google/uuid ids of requests, of the ledger, and of simulated calls
github.com/grafana/grafana-foundation-sdk/go generates the dashboards, and checks them against Grafana's schema
github.com/hashicorp/hcl/v2 tests parse the Terraform that registers the app
github.com/jackc/pgx/v5 the ledger in PostgreSQL, and the databases of its tests
github.com/klauspost/compress fast compression in the ledger, and gzip for OTLP and providers' answers
github.com/nyaruka/phonenumbers the country of a number, and its form in E.164: libphonenumber's tables
github.com/santhosh-tekuri/jsonschema/v6 tests check every example against the configuration's schema
github.com/prometheus/client_golang the metrics endpoint
github.com/prometheus/client_model metrics as protobuf, with native histograms
github.com/prometheus/common HTTP client settings, log and version, as in every Prometheus exporter
github.com/prometheus/exporter-toolkit TLS and basic auth by --web.config.file
github.com/prometheus/prometheus parses PromQL: rules are edited as expressions, not as text
github.com/prometheus/otlptranslator tests that OTLP names become the names on /metrics
github.com/prometheus/procfs measures processor time and memory of benchmarks
github.com/VictoriaMetrics/metrics a peer in benchmarks of scrapes
github.com/rogpeppe/go-internal scripts that test the binary
github.com/schollz/progressbar/v3 the progress of backfill
go.opentelemetry.io/otel attributes and errors of the OpenTelemetry SDK
go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc OTLP metrics by gRPC
go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp OTLP metrics by HTTP
go.opentelemetry.io/otel/sdk the resource of OTLP data
go.opentelemetry.io/otel/sdk/metric the periodic reader of OTLP metrics
go.opentelemetry.io/proto/otlp log records as OTLP's own types
go.uber.org/goleak tests that no goroutine is left
golang.org/x/crypto certificates in PKCS #12, password hashes in tests
golang.org/x/net proxies and their exceptions, and a limit of connections for the webhook listener
golang.org/x/sync goroutines that fail together
golang.org/x/sys detects network file systems under the ledger
golang.org/x/term width of the progress bar
golang.org/x/time rate limits
google.golang.org/genproto/googleapis/rpc details of gRPC errors: when to retry
google.golang.org/grpc OTLP by gRPC
google.golang.org/protobuf encodes OTLP and Prometheus's protobuf
gopkg.in/yaml.v3 configuration with line numbers for errors
modernc.org/sqlite the ledger: SQLite without cgo, so that the binary is static
`

// licences that a dependency may have, by what their texts say. All are compatible with Apache-2.0
// and ask for no source.
var licences = map[string]*regexp.Regexp{
	"Apache-2.0":    regexp.MustCompile(`(Apache License\s+|Licensed under the Apache License, )Version 2\.0`),
	"BSD-3-Clause":  regexp.MustCompile(`Redistribution and use in source and binary forms(?s:.*)(endorse|promote)`),
	"BSD-2-Clause":  regexp.MustCompile(`Redistribution and use in source and binary forms`),
	"CC0-1.0":       regexp.MustCompile(`CC0 1\.0 Universal`),
	"ISC":           regexp.MustCompile(`Permission to use, copy, modify, and(/or)? distribute this software`),
	"MIT":           regexp.MustCompile(`Permission is hereby granted, free of charge`),
	"MPL-2.0":       regexp.MustCompile(`Mozilla Public License,? [Vv]ersion 2\.0`),
	"public domain": regexp.MustCompile(`SQLite Is Public Domain`),
}

// module is a dependency, as the packages that are compiled show it.
type module struct {
	version, dir string
	direct       bool
	shipped      bool            // in the binary for one of the systems that we release for
	neededBy     map[string]bool // modules that import it
}

// goPackage is a package as `go list` describes it.
type goPackage struct {
	ImportPath string
	Imports    []string
	Module     *struct {
		Path, Version, Dir string
		Main, Indirect     bool
	}
}

// listPackages asks Go for packages and all that they import.
func listPackages(t *testing.T, system string, args ...string) (all []goPackage) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Module"},
		args...)...)
	list.Dir, list.Env = "..", append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var problems bytes.Buffer
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &problems)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var one goPackage
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

// findModules finds the modules of everything that is compiled: what is shipped, and with it what
// tests and generators need.
func findModules(t *testing.T) map[string]*module {
	t.Helper()
	found := make(map[string]*module)
	add := func(shipped bool, system string, args ...string) {
		packages := listPackages(t, system, args...)
		of := make(map[string]string) // package to module
		for _, p := range packages {
			if m := p.Module; m != nil && !m.Main {
				of[p.ImportPath] = m.Path
				if found[m.Path] == nil {
					found[m.Path] = &module{
						version: m.Version, dir: m.Dir, direct: !m.Indirect,
						neededBy: make(map[string]bool),
					}
				}
				found[m.Path].shipped = found[m.Path].shipped || shipped
			}
		}
		for _, p := range packages {
			for _, imported := range p.Imports {
				if from, to := of[p.ImportPath], of[imported]; from != "" && to != "" && from != to {
					found[to].neededBy[from] = true
				}
			}
		}
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		add(true, system, "./cmd/cdr-exporter")
	}
	add(false, "linux", "-test", "-tags", "e2e,conformance", "./...")
	return found
}

// licence reads a module's licence files; each must be one of those allowed.
func licence(dir string) (string, error) {
	names := make(map[string]bool)
	files, err := filepath.Glob(filepath.Join(dir, "[LC][IO][CP][EY]*")) // LICENSE, LICENCE, COPYING
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s has no licence file", dir)
	}
	for _, file := range files {
		if filepath.Base(file) == "LICENSE-LOGO" {
			continue // of a picture, which isn't compiled
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		allowed := false
		for name, pattern := range licences {
			if pattern.Match(text) {
				names[name], allowed = true, true
			}
		}
		if !allowed {
			return "", fmt.Errorf("%s is none of the licences that are allowed", file)
		}
	}
	if names["BSD-3-Clause"] {
		delete(names, "BSD-2-Clause") // whose text it begins with
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", "), nil
}

// TestDependencies: every dependency has a reason and a licence that is allowed, and
// dependencies.md lists them; -update rewrites it.
func TestDependencies(t *testing.T) {
	found := findModules(t)
	reason := make(map[string]string)
	for line := range strings.SplitSeq(strings.TrimSpace(reasons), "\n") {
		path, why, _ := strings.Cut(line, " ")
		reason[path] = why
		if m := found[path]; m == nil || !m.direct {
			t.Errorf("dependencies_test.go has a reason for %s, which isn't a direct dependency", path)
		}
	}
	var tables [3]strings.Builder // direct, indirect, of tests and generators only
	for _, path := range slices.Sorted(maps.Keys(found)) {
		m := found[path]
		of, err := licence(m.dir)
		if err != nil {
			t.Error(err)
		}
		why := reason[path]
		switch {
		case m.direct && why == "":
			t.Errorf("%s is a new dependency: say in dependencies_test.go why", path)
		case !m.direct:
			why = "needed by " + strings.Join(slices.Sorted(maps.Keys(m.neededBy)), ", ")
		}
		table := 0
		if !m.shipped {
			table = 2
		} else if !m.direct {
			table = 1
		}
		fmt.Fprintf(&tables[table], "| [%s](https://pkg.go.dev/%s) | %s | %s | %s |\n", path, path, m.version, of, why)
	}
	const head = "\n| module | version | licence | why |\n| --- | --- | --- | --- |\n"
	want := "# Dependencies\n\nThis page lists the modules in cdr-exporter's binary, and those that only its " +
		"tests and generators need. The licences are read\n" +
		"from the modules. `go test ./docs -run TestDependencies -update` writes the page. It fails if a " +
		"dependency has no reason, or a\n" +
		"licence that isn't on the list: " + strings.Join(slices.Sorted(maps.Keys(licences)), ", ") +
		". The tools under `tools/` are separate modules and are never linked.\n" +
		"\n## Chosen\n" + head + tables[0].String() +
		"\n## Needed by these\n" + head + tables[1].String() +
		"\n## Only in tests and generators\n" + head + tables[2].String()
	if !t.Failed() {
		golden.File(t, "dependencies.md", []byte(want))
	}
}
