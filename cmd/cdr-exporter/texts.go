package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

//go:embed *.tmpl
var textFiles embed.FS

// texts are the templates of commands' output, by file name.
var texts = template.Must(template.New("").Option("missingkey=zero").Funcs(template.FuncMap{
	"moment": moment, "words": slugWords, "share": share, "quote": quote, "megabytes": megabytes,
	"auditCharges": auditCharges,
	"show":         func(value any) string { return printable(cell{value: value}.text()) },
	"isFailure": func(outcome string) bool {
		return outcome == cdr.Failed.String() || outcome == cdr.NotConnected.String()
	},
	"faultOf": func(domain string) string { return domainWords[domain] },
}).ParseFS(textFiles, "*.tmpl"))

// printText executes a template. Tabs in its output align columns.
func printText(out io.Writer, name string, data any) error {
	w := newTable(out)
	return errors.Join(texts.ExecuteTemplate(w, name, data), w.Flush())
}

// printJSON prints a value in a readable form.
func printJSON(out io.Writer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// newTable aligns columns that are separated by tabs.
func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }

// printable replaces control and direction characters, because callers choose their own names.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "none"
	}
	return at.UTC().Format(time.RFC3339)
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func slugWords(slug string) string { return strings.ReplaceAll(slug, "_", " ") }
