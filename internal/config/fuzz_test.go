package config_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// lineBreak is what YAML counts as the end of a line.
var lineBreak = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

// FuzzParse shows that no file makes the loader panic, that every problem has a line
// within the file and is one line of text.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../config.example.yaml")
	require.NoError(f, err)
	f.Add(example)
	for _, seed := range []string{
		"", "---", "...", "a: b", valid, valid + "---\n" + valid, withFiles, source + "    limits: {x: {rows: 1}}\n",
		bomb(3) + valid,
		"a: &a [*a]", "sources: &s [*s]", "storage: &s {<<: *s}", "otlp: {headers: {\"\": ''}}", "? {a: b}\n: c",
		"a:\tb", "\xff", "a: 'b", "&a : *a",
		"sources: [{name: ${env:SET}, acme: {tenant_id: '${env:NOWHERE}'}}]",
		"metrics: {zero_for: 99999999999y, series_limit: 1e9}",
		"\xff\xfe( 00", "\r0", "#\n#", "!!binary a: b", "a: !!str\nb: ! c", "%YAML 1.1\n---\na: b", "- - - -", "{{{{",
		"[[[[", "a: |\n  b\n c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := config.Parse("c.yaml", data, options()); err != nil {
			checkProblems(t, err, data)
		}
	})
}

// checkProblems looks at what every problem must hold.
func checkProblems(t *testing.T, err error, data []byte) {
	t.Helper()
	lines := len(lineBreak.FindAllIndex(data, -1)) + 1
	if !utf8.Valid(data) {
		lines = len(data) // UTF-16
	}
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	for _, p := range problems {
		if p.File != "c.yaml" || p.Line < 1 || p.Line > lines || p.Message == "" {
			t.Errorf("a problem without its place, in a file of %d lines: %#v", lines, p)
		}
		if strings.ContainsAny(p.String(), "\n\r\x00") {
			t.Errorf("a problem of several lines: %q", p)
		}
		if strings.Contains(p.Message, "hunter2") && !bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("a secret of the environment is shown: %q", p)
		}
	}
}
