package rules

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// Each KPI has its own table of codes, none derived from another: vendors use the names at will, so the table is
// part of the definition.
var (
	// asrAnswered: ITU-T E.411 and E.425, answer-seizure ratio. The network delivered what a
	// queue or a menu took.
	asrAnswered = []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.Machine}

	// personAnswered and personUnknown: the share of calls that reached a person is ours. A call
	// that didn't connect reached nobody, whatever the reason.
	personAnswered = []cdr.Outcome{cdr.Answered}
	personUnknown  = []cdr.Outcome{cdr.Unknown}

	// nerEffective: ITU-T E.425, network effectiveness ratio. A busy or silent user isn't a failure of the network.
	nerEffective = []cdr.Outcome{
		cdr.Answered, cdr.Voicemail, cdr.Machine, cdr.Busy, cdr.NoAnswer, cdr.Cancelled, cdr.Rejected,
	}

	// nerNoAttempts are left out of what NER and the fault ratio divide by.
	nerNoAttempts = []cdr.Outcome{cdr.NotConnected, cdr.Unknown}

	// faultFailed: the fault ratio is ours.
	faultFailed = []cdr.Outcome{cdr.Failed}

	// acdConnected: ITU-T E.437, average call duration. Connected time includes what machines took.
	acdConnected = []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.Machine}

	// A 200 is an answered call: Graph gives 0 for a call that ended normally, and failures alone carry codes.
	okAnswered = []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.Machine}
)

var (
	// redirects: RFC 6076 4.6 and 4.7 leave a 3xx out of what SER and SEER divide by.
	redirects = "3.."

	// seerCodes: RFC 6076 4.7, session establishment effectiveness ratio, beside 200. 487 isn't in its list.
	seerCodes = []string{"480", "486", "600", "603"}

	// isaCodes: RFC 6076 4.8, ineffective session attempts.
	isaCodes = []string{"408", "500", "503", "504"}
)
