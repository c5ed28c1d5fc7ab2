package main

import (
	"context"
	"errors"
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

// recordingColumn is one column of tables and CSV: the values of all recordings of a call, in the same order in each column.
type recordingColumn struct {
	name  string
	value func(*recording) string
}

// recordingColumns come after the others, with --recordings.
var recordingColumns = []recordingColumn{
	{"recording_id", func(r *recording) string { return r.ID }},
	{"recording_type", func(r *recording) string { return r.Type }},
	{"recording_content_type", func(r *recording) string { return r.ContentType }},
	{"recording_duration_seconds", func(r *recording) string {
		if r.Seconds == 0 {
			return ""
		}
		return strconv.FormatFloat(r.Seconds, 'f', -1, 64)
	}},
}

// cell is the column's value for a call.
func (c *recordingColumn) cell(all []recording) string {
	values, known := make([]string, len(all)), false
	for i := range all {
		values[i] = c.value(&all[i])
		known = known || values[i] != ""
	}
	if !known {
		return ""
	}
	return strings.Join(values, "; ")
}

// resolver asks the provider for each recording once.
type resolver struct {
	ask    func(ctx context.Context, id string) (collector.RecordingInfo, error)
	advise func(error) (what, todo string)
	errors io.Writer
	known  map[string]collector.RecordingInfo
}

// resolve adds content type and length to a call's recordings. A failure is printed; only the end of the context is an error.
func (r *resolver) resolve(ctx context.Context, all []recording) error {
	for i := range all {
		id := all[i].ID
		if id == "" {
			continue
		}
		info, asked := r.known[id]
		if !asked {
			var err error
			info, err = r.ask(ctx, id)
			if ctx.Err() != nil {
				return fmt.Errorf("ask for recordings: %w", context.Cause(ctx))
			}
			if err != nil {
				what, todo := r.advise(err)
				fmt.Fprintf(r.errors, "recording %s: only its id and type are known: %s; %s\n", strconv.QuoteToASCII(id), what, todo)
			}
			r.known[strings.Clone(id)] = info
		}
		all[i].ContentType, all[i].Seconds = info.ContentType, info.Duration.Seconds()
	}
	return nil
}

// recordingsOf are a record's recordings.
func recordingsOf(r *cdr.Record) []recording {
	all := make([]recording, len(r.Recordings))
	for i, of := range r.Recordings {
		all[i] = recording{ID: of.ID, Type: of.Type}
	}
	return all
}

// errNoRecordings: the feed has nothing to resolve.
var errNoRecordings = errors.New("--recordings: the provider has no more data of recordings than the records of this feed; leave it out")
