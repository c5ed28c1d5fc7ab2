package ringcentral_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// documented are the results of docs/providers/ringcentral.md.
var documented = map[cdr.Outcome][]string{
	cdr.Answered:      {"Accepted", "Call accepted", "Call connected", "Answered Elsewhere", "911", "933"},
	cdr.Voicemail:     {"Voicemail", "Sent to Voicemail", "Callback requested"},
	cdr.NoAnswer:      {"Missed", "No Answer", "Answered Not Accepted"},
	cdr.Busy:          {"Busy"},
	cdr.Cancelled:     {"Hang Up", "Abandoned", "Stopped"},
	cdr.Rejected:      {"Rejected", "Declined", "Blocked", "Reply"},
	cdr.InvalidNumber: {"Wrong Number"},
	cdr.NotAllowed: {
		"Not Allowed", "Restricted Number", "International Disabled", "International Restricted",
		"International Restriction", "No Calling Credit", "Suspended", "Suspended account",
	},
	cdr.Failed: {
		"Call Failed", "Call Failure", "Internal Error", "Carrier is not active",
		"EDGE trunk misconfigured", "IP Phone Offline",
	},
}

func TestOutcomesOfTheContract(t *testing.T) {
	for outcome, all := range documented {
		for _, result := range all {
			for _, spelling := range []string{result, strings.ToUpper(result), " " + strings.ToLower(result) + " "} {
				t.Run(spelling, func(t *testing.T) {
					got, err := decodePage(t, accountLog(), pageOf("", call("1", fmt.Sprintf(`"result":%q`, spelling))))
					if err != nil || len(got.rows) != 1 || len(got.unmapped) != 0 {
						t.Fatalf("%+v, error %v", got, err)
					}
					got.rows[0].Want(t, shown{"Outcome": outcome.String(), "Provisional": nil})
					if reason, exists := got.rows[0]["Reason"]; exists == outcome.Connected() {
						t.Errorf("reason %v", reason)
					}
				})
			}
		}
	}
}
