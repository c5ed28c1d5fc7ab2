package graph

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestEnvelope (counting.md 31): an answer that isn't a page differs from a page with a bad row.
func TestEnvelope(t *testing.T) {
	const one = `[{"id":"1","startDateTime":"2026-11-19T10:00:00Z"}]`
	for _, test := range []struct {
		name, page, next, err string
		rows                  int
	}{
		{"a bad row", "{\"value\":[{\"id\":\"x\ny\"},{\"version\":01},{}]}", "", "", 3},
		{"last page", `{"@odata.context":"x","@odata.count":1,"value":` + one + `}`, "", "", 1},
		{
			"link behind the rows", `{"value":` + one + `,"@odata.nextLink":"https://graph.example/a?$skip=1000"}`,
			"https://graph.example/a?$skip=1000", "", 1,
		},
		{"link before the rows", `{"@odata.nextLink":"a","value":` + one + `}`, "a", "", 1},
		{"link with a capital", `{"@odata.NextLink":"a","value":` + one + `}`, "a", "", 1},
		{"link in small letters", `{"@odata.nextlink":"a","value":` + one + `}`, "a", "", 1},
		{"same link twice", `{"@odata.nextlink":"a","@odata.nextLink":"a","value":[]}`, "a", "", 0},
		{"no rows but a link", `{"value":[],"@odata.nextLink":"a"}`, "a", "", 0},
		{"null link", `{"value":` + one + `,"@odata.nextLink":null}`, "", "", 1},
		{"spaces everywhere", " {\n \"value\" : [ { \"id\" : \"1\" ,\t\"startDateTime\" : " +
			"\"2026-11-19T10:00:00Z\" } ] } \n", "", "", 1},
		{
			"new properties of the envelope", `{"@odata.new":{"a":[1,{"b":null}]},"value":` + one + `,"more":[[]]}`, "",
			"", 1,
		},
		{"invalid UTF-8 of the envelope", "{\"x\":\"\xff\",\"value\":" + one + "}", "", "", 1},
		{"two links", `{"@odata.nextLink":"a","@odata.NextLink":"b","value":[]}`, "", "two next links", 0},
		{"link that isn't a string", `{"@odata.nextLink":5,"value":[]}`, "", "next link isn't a string", 0},
		{"without rows", `{"@odata.count":0}`, "", "has no value", 0},
		{"value that is null", `{"value":null}`, "", "value isn't an array", 0},
		{"value that is an object", `{"value":{}}`, "", "value isn't an array", 0},
		{"two values", `{"value":[],"value":[]}`, "", "two members value", 0},
		{"an error", `{"error":{"code":"x"},"value":[]}`, "", "an error instead of a page", 0},
		{"an array", `[]`, "", "isn't an object", 0},
		{"HTML", `<!DOCTYPE html>`, "", "isn't valid JSON at byte 0", 0},
		{"nothing", ``, "", "the answer is empty", 0},
		{"cut", `{"value":[{"id":"1"},{"id`, "", "cut at byte", 0},
		{"cut behind the rows", `{"value":[]`, "", "cut at byte", 0},
		{"more behind the page", `{"value":[]}{}`, "", "trailing data", 0},
		{"text behind the page", `{"value":[]}x`, "", "isn't valid JSON at byte 12", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &decoder{input: wire.NewInput()}
			next, err := d.decode([]byte(test.page))
			switch {
			case test.err == "" && err != nil:
				t.Fatal(err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Fatalf("error %v, want one that says %q", err, test.err)
			}
			if err == nil && (len(d.rows) != test.rows || next != test.next) {
				t.Errorf("got %d rows and next link %q, want %d and %q", len(d.rows), next, test.rows, test.next)
			}
			if err != nil && !httpclient.IsRetryable(err) {
				t.Error("the page isn't asked for again")
			}
		})
	}
}

func TestTooManyRows(t *testing.T) {
	page := `{"value":[` + strings.Repeat("0,", wire.MaxRows) + `0]}`
	d := &decoder{input: wire.NewInput()}
	_, err := d.decode([]byte(page))
	if !errors.Is(err, wire.ErrTooManyRows) || httpclient.IsRetryable(err) {
		t.Errorf("error %v, want wire.ErrTooManyRows", err)
	}
}

// TestPages: rows come in pieces with their positions, nothing of a page that broke comes before it was read again.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &providertest.Script{Answers: []providertest.Answer{
			{Body: `{"value":[` + strings.Repeat("0,", 1500) + `0],"@odata.nextLink":"/b"}`},
			{Body: `{"value":[1,`},
			{Body: `{"value":[2],"@odata.nextLink":"/c"}`},
			{Body: `{"value":[3,4]}`},
		}}
		var got []string
		for rows, err := range Pages(t.Context(), g.Client(t, nil), httpclient.Request{URL: "/a"}) {
			require.NoError(t, err)
			got = append(got, fmt.Sprintf("%d %d %d %s", rows.Page, rows.First, len(rows.Rows), rows.Rows[0]))
		}
		if want := "1 1 1000 0, 1 1001 501 0, 2 1 1 2, 3 1 2 3"; strings.Join(got, ", ") != want {
			t.Errorf("got %s", strings.Join(got, ", "))
		}
	})
}
