package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// recording is what is printed of a recording. Its content is never requested.
type recording struct {
	ID          string `json:"id,omitempty"`
	Type        string `json:"type,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	// Seconds is its length; zero if it isn't known.
	Seconds float64 `json:"duration_seconds,omitempty"`
}

// recordingCells are the columns of tables and CSV with --recordings: each has the values of all recordings of a call, in the same order.
func recordingCells(all []recording) []cell {
	cells := []cell{{column: "recording_id"}, {column: "recording_type"}, {column: "recording_content_type"}, {column: "recording_duration_seconds"}}
	for i := range cells {
		texts := make([]string, len(all))
		for j, r := range all {
			seconds := ""
			if r.Seconds != 0 {
				seconds = strconv.FormatFloat(r.Seconds, 'f', -1, 64)
			}
			texts[j] = []string{r.ID, r.Type, r.ContentType, seconds}[i]
		}
		if strings.Join(texts, "") != "" {
			cells[i].value = strings.Join(texts, "; ")
		}
	}
	return cells
}

// resolver asks the provider for each recording once.
type resolver struct {
	ask    func(ctx context.Context, id string) (collector.RecordingInfo, error)
	advise func(error) (what, todo string)
	errors io.Writer
	known  map[string]collector.RecordingInfo
}

// recordings are a record's, with content type and length. A failure is printed; only the end of the context is an error.
func (r *resolver) recordings(ctx context.Context, record *cdr.Record) ([]recording, error) {
	all := make([]recording, len(record.Recordings))
	for i, of := range record.Recordings {
		info, asked := r.known[of.ID]
		if !asked && of.ID != "" {
			var err error
			info, err = r.ask(ctx, of.ID)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("ask for recordings: %w", context.Cause(ctx))
			}
			if err != nil {
				what, todo := r.advise(err)
				fmt.Fprintf(r.errors, "recording %s: only its id and type are known: %s; %s\n", strconv.QuoteToASCII(of.ID), what, todo)
			}
			r.known[strings.Clone(of.ID)] = info
		}
		all[i] = recording{of.ID, of.Type, info.ContentType, info.Duration.Seconds()}
	}
	return all, nil
}
