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
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// labelRecording is the endpoint in errors.
const labelRecording = "recording"

// recordingID is what ids of recordings look like. Anything else isn't put into a URL.
var recordingID = regexp.MustCompile(`^[0-9]{1,32}$`)

// errRecordingID is an id of another form.
var errRecordingID = errors.New("the id of the recording is not a number")

// recordings asks for what is known of a recording. Its content, which has an address
// of its own, is never asked for.
type recordings struct {
	client *httpclient.Client
}

func (r *recordings) get(ctx context.Context, id string) (collector.RecordingInfo, error) {
	if !recordingID.MatchString(id) {
		return collector.RecordingInfo{}, errRecordingID
	}
	var info collector.RecordingInfo
	request := httpclient.Request{
		Feed: feedCallLog, URL: "restapi/v1.0/account/~/recording/" + id, Label: labelRecording, ExpectJSON: true,
	}
	err := r.client.Fetch(ctx, request, func(response *httpclient.Response) (err error) {
		info, err = readRecording(response.Body.Bytes())
		return httpclient.Retryable(err)
	})
	if err != nil {
		return collector.RecordingInfo{}, fmt.Errorf("ask for the recording: %w", withProblem(err))
	}
	return info, nil
}

func readRecording(content []byte) (info collector.RecordingInfo, err error) {
	var answer struct {
		ContentType string `json:"contentType"`
		Duration    *int64 `json:"duration"` // seconds
	}
	if err := json.Unmarshal(content, &answer, rowOptions); err != nil {
		return info, errors.New("the answer is not what is documented of a recording") // the decoder's text may quote it
	}
	if answer.Duration != nil {
		var problem string
		if info.Duration, problem = span("duration", *answer.Duration, time.Second); problem != "" {
			return collector.RecordingInfo{}, errors.New("the recording's " + problem)
		}
	}
	if answer.ContentType != "" {
		kind, _, err := mime.ParseMediaType(answer.ContentType)
		if err != nil {
			return collector.RecordingInfo{}, errors.New("the recording's contentType is no media type")
		}
		info.ContentType = kind
	}
	return info, nil
}
