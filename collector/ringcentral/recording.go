package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// recordingID matches ids of recordings. No other text becomes part of a URL.
var recordingID = regexp.MustCompile(`^[0-9]{1,32}$`)

// errRecordingID is the error for an id in another form.
var errRecordingID = &advice.Error{
	What: "the id of the recording is not a number",
	Todo: "nothing: the exporter can't request such a recording",
}

// recording requests the description of a recording, never its content, which has another address.
func (l *callLog) recording(ctx context.Context, id string) (info collector.RecordingInfo, err error) {
	if !recordingID.MatchString(id) {
		return info, errRecordingID
	}
	request := httpclient.Request{
		Feed: feedCallLog, URL: "restapi/v1.0/account/~/recording/" + id, Label: "recording", ExpectJSON: true,
	}
	err = l.client.Fetch(ctx, request, func(body []byte) (err error) {
		info, err = readRecording(body)
		return httpclient.Retryable(err)
	})
	if err != nil {
		return collector.RecordingInfo{}, fmt.Errorf("request the recording: %w", err)
	}
	return info, nil
}

func readRecording(content []byte) (info collector.RecordingInfo, err error) {
	var answer struct {
		ContentType string `json:"contentType"`
		Duration    int64  `json:"duration"` // seconds
	}
	var problem string
	if json.Unmarshal(content, &answer, answerOptions) != nil {
		problem = "answer isn't as documented" // the decoder's text may quote it
	} else if info.Duration, problem = duration("duration", answer.Duration, time.Second); problem == "" &&
		answer.ContentType != "" {
		if info.ContentType, _, err = mime.ParseMediaType(answer.ContentType); err != nil {
			problem = "contentType isn't a media type"
		}
	}
	if problem != "" {
		return collector.RecordingInfo{}, errors.New("the recording's " + problem)
	}
	return info, nil
}
