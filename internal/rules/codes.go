package rules

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Each KPI has its own table of codes, none derived from another: vendors use the names at will, so the table is part of the definition.
var (
	// asrAnswered: ITU-T E.411 and E.425, answer-seizure ratio.
	asrAnswered = []cdr.Outcome{cdr.Answered, cdr.Voicemail}

	// nerEffective: ITU-T E.425, network effectiveness ratio. A busy or silent user is no failure of the network.
	nerEffective = []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.Busy, cdr.NoAnswer, cdr.Cancelled, cdr.Rejected}

	// nerNoAttempts are left out of what NER and the fault ratio divide by.
	nerNoAttempts = []cdr.Outcome{cdr.NotConnected, cdr.Unknown}

	// faultFailed: the fault ratio is ours.
	faultFailed = []cdr.Outcome{cdr.Failed}

	// acdConnected: ITU-T E.437, average call duration.
	acdConnected = []cdr.Outcome{cdr.Answered, cdr.Voicemail}

	// A 200 is an answered call: Graph gives 0 for a call that ended normally, and failures alone carry codes.
	okAnswered = []cdr.Outcome{cdr.Answered, cdr.Voicemail}
)

var (
	// redirects: RFC 6076 4.6 and 4.7 leave a 3xx out of what SER and SEER divide by.
	redirects = "3.."

	// seerCodes: RFC 6076 4.7, session establishment effectiveness ratio, beside 200. 487 isn't in its list.
	seerCodes = []string{"480", "486", "600", "603"}

	// isaCodes: RFC 6076 4.8, ineffective session attempts.
	isaCodes = []string{"408", "500", "503", "504"}
)

// Feeds by what their records can show, as alternatives of a regular expression.
var (
	// reasonFeeds say why a call didn't connect.
	reasonFeeds = feeds(func(f collector.FeedProperties) bool { return f.Reasons })
	// shareFeeds only say whether it connected: what is ASR elsewhere is called the connected share there.
	shareFeeds = feeds(func(f collector.FeedProperties) bool { return !f.Reasons && !f.Snapshot })
	// sipFeeds carry SIP codes.
	sipFeeds = feeds(func(f collector.FeedProperties) bool { return f.SIPCodes })
	// streamFeeds say how media streams went.
	streamFeeds = feeds(func(f collector.FeedProperties) bool { return f.Streams })
)

func feeds(having func(collector.FeedProperties) bool) string {
	return strings.Join(app.Feeds(having), "|")
}

// inFeeds and notInFeeds select by feed.
func inFeeds(names string) string    { return byFeedName(names, is, matches) }
func notInFeeds(names string) string { return byFeedName(names, isNot, not) }

// byFeedName compares one feed alone, and matches several.
func byFeedName(names string, one, several func(label, value string) string) string {
	if strings.Contains(names, "|") {
		return several("feed", names)
	}
	return one("feed", names)
}
