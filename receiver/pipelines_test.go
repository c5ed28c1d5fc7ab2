package cdrreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/multierr"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestPipelinesAnswer: only what every pipeline refuses for good may be the fault of a record, and
// no answer is repeated.
func TestPipelinesAnswer(t *testing.T) {
	busy, bad := errors.New("number +15550100 is too much"),
		consumererror.NewPermanent(errors.New("number +15550100 is bad"))
	const again, refused, slow = "accepts nothing now", "refused a request for good", "no answer in time"
	for name, c := range map[string]struct {
		answer error
		want   string // part of the verdict; empty: accepted
	}{
		"accepted":                 {nil, ""},
		"a full queue":             {busy, again},
		"time is up":               {fmt.Errorf("export: %w", context.DeadlineExceeded), slow},
		"refused":                  {bad, refused},
		"refused, within an error": {fmt.Errorf("export: %w", bad), refused},
		"refused by both":          {multierr.Append(bad, bad), refused},
		"one refuses, one waits":   {multierr.Append(bad, busy), again},
		"the same, as the Collector has it": {consumererror.NewDownstream(multierr.Append(busy,
			consumererror.NewDownstream(bad))), again},
		"refused by both, within": {consumererror.NewDownstream(multierr.Append(bad,
			consumererror.NewDownstream(bad))), refused},
		"what two say was refused for good": {consumererror.NewPermanent(multierr.Append(busy, busy)), refused},
		"one of several that wrap the other": {
			errors.Join(bad, fmt.Errorf("export: %w", multierr.Append(bad, busy))),
			again,
		},
	} {
		t.Run(name, func(t *testing.T) {
			obs, err := observer(receivertest.NewNopSettings(component.MustNewType("cdr")))
			require.NoError(t, err)
			records := &logs.ScopeLogs{
				LogRecords: []*logs.LogRecord{{EventName: "cdr.call"}, {EventName: "cdr.call.revised"}},
			}
			request, err := proto.Marshal(&collogs.ExportLogsServiceRequest{
				ResourceLogs: []*logs.ResourceLogs{{ScopeLogs: []*logs.ScopeLogs{records}}},
			})
			require.NoError(t, err)
			sink := new(consumertest.LogsSink)
			err = logsInto(sink, obs)(t.Context(), request)
			if n := sink.LogRecordCount(); n != 2 || err != nil {
				t.Fatalf("the pipeline got %d records and an error %v", n, err)
			}
			err = logsInto(consumertest.NewErr(c.answer), obs)(t.Context(), request)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("the verdict is %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "5550100") {
				t.Errorf("the verdict repeats the answer: %v", err)
			}
		})
	}
}
