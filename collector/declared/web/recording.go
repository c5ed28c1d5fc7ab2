package web

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"regexp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Recording says how to request what the provider knows of a recording, never its content.
type Recording struct {
	// Path is the address; {recording_id} in it is the recording.
	Path        string        `yaml:"path"`
	ContentType language.Path `yaml:"content_type"`
	Duration    language.Path `yaml:"duration"`
	// Unit is the unit of the duration.
	Unit string `yaml:"unit"`
}

const recordingID = "{recording_id}"

// Validate implements config.Validator.
func (l *Recording) Validate(r *config.Report) {
	if !strings.Contains(l.Path, recordingID) {
		r.Problemf("path", "must be an address with %s, the recording's id", recordingID)
	}
	r.OneOf("unit", l.Unit, append(language.Units, "")...)
}

// plainID matches the ids of recordings that may become part of an address.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

var errRecordingID = &advice.Error{
	What: "the id of the recording can't be part of an address",
	Todo: "nothing: the exporter can't request such a recording",
}

// recordingInfo requests what the provider knows of a recording.
func (r *reader) recordingInfo(ctx context.Context, id string) (info collector.RecordingInfo, err error) {
	if !plainID.MatchString(id) {
		return info, errRecordingID
	}
	address := language.Expand(strings.ReplaceAll(r.Recording.Path, recordingID, id), r.Parameters)
	request := httpclient.Request{Feed: r.Name, URL: address, Label: "recording", ExpectJSON: true}
	err = r.client.Fetch(ctx, request, func(body []byte) (err error) {
		info, err = r.Recording.read(body)
		return httpclient.Retryable(err)
	})
	if err != nil {
		return collector.RecordingInfo{}, fmt.Errorf("request the recording: %w", err)
	}
	return info, nil
}

func (l *Recording) read(body []byte) (info collector.RecordingInfo, err error) {
	answer, is := objectIn(body)
	if !is {
		return info, errors.New("the answer about the recording isn't an object")
	}
	if l.Duration != nil {
		if text, is := answer.Text(l.Duration); is != language.Missing {
			length, problem := language.ParseDuration(text, l.Unit)
			if problem != "" && problem != language.NoValue {
				return info, errors.New("the recording's duration " + problem)
			}
			info.Duration = length
		}
	}
	if l.ContentType != nil {
		if text, is := answer.Text(l.ContentType); is != language.Missing {
			if info.ContentType, _, err = mime.ParseMediaType(text); err != nil {
				return collector.RecordingInfo{}, errors.New("the recording's content type isn't a media type")
			}
		}
	}
	return info, nil
}
