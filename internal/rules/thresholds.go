package rules

import "time"

// Everything that a person may want to set otherwise is here. After a change:
//
//	go test ./internal/rules -run Generated -update
//
// which writes the rules and the tables of the docs anew. Without Go, change the same
// number in dashboards/prometheus/alerts.yaml.

// The objective: of a trunk's attempts, so many may fail for a fault of network, trunk,
// carrier or service, over 30 days.
const errorBudget = 0.01

// burn is one rule of several windows (SRE workbook, chapter 5): the budget burns so many
// times faster than would use it up in 30 days, over the long window and still over the
// short one.
type burn struct {
	long, short window
	factor      float64
	// floor is the least number of attempts in the long window, so that three calls at
	// night page nobody. Microsoft calls a low NER on fewer than 100 calls possibly normal.
	floor int
}

var (
	fastBurn  = burn{long: w1h, short: w5m, factor: 14.4, floor: 30}
	slowBurn  = burn{long: w6h, short: w30m, factor: 6, floor: 60}
	smallBurn = burn{long: w3d, short: w6h, factor: 1, floor: 100}
)

// Failures.
const (
	// downRatio of a trunk's attempts within 5 minutes are faults, of downFloor or more.
	downRatio = 0.9
	downFloor = 5
	// Small tenants: fewFaults or more, and fewShare of all calls, within 30 minutes.
	fewFaults = 3
	fewShare  = 0.5
	// One SIP code: codeFactor times as often as in the same hour a week ago, and
	// codeFloor times or more.
	codeFactor = 3
	codeFloor  = 20
)

// Money and minutes, which toll fraud moves.
const (
	// chargeFactor times the charges of the same hour a week ago, and chargeFloor units of
	// the currency or more.
	chargeFactor = 3
	chargeFloor  = 20
	// minutesFactor times the minutes to a country of the same hour a week ago, and
	// minutesFloor seconds more.
	minutesFactor = 5
	minutesFloor  = 3600
)

// Traffic.
const (
	// Average durations: Microsoft calls 4 to 5 minutes normal and 15 s alarming.
	shortSeconds = 15
	shortFloor   = 30
	// Below fallFactor of the average of the same hour a week ago, of fallFloor calls then and now.
	fallFactor = 0.5
	fallFloor  = 50
	// An hour that had quietFloor calls or more in each of the last three weeks.
	quietFloor = 10
)

// Media.
const (
	// bypassDrop is how far the share of calls with media bypass falls below that of the
	// day before, of bypassFloor calls or more.
	bypassDrop  = 0.2
	bypassFloor = 20
	// poorShare of the audio streams that could be classified, poorFloor of them or more.
	poorShare = 0.1
	poorFloor = 50
)

// Reading.
const (
	// freshSeconds is how old a watermark may be for rates to mean something. The exporter
	// itself says more exactly, by the feed's interval, when it is behind (catching_up);
	// this is for what was never read, and for intervals of 20 minutes and more.
	freshSeconds = 3600
	// staleSeconds old, and failing for 5 minutes.
	staleSeconds = 300
	// behindFor is how long a feed has been catching up.
	behindFor = 2 * time.Hour
	// differenceRecords fewer were read of a day than the provider counts, for differenceFor.
	differenceRecords = 0
	differenceFor     = time.Hour
	// lateShare of the records of an hour were late, of lateFloor or more.
	lateShare = 0.5
	lateFloor = 20
	// throttledShare of the time is spent waiting for the provider's limit.
	throttledShare = 0.5
	// silentSeconds is how much newer the newest call is than the last notification.
	silentSeconds = 7200
	// Days before a certificate or token ends. Microsoft warns 30 days before.
	expiringDays     = 30
	expiringSoonDays = 7
)

// The outbox.
const (
	// outboxShare is the share of otlp.outbox_limit.
	outboxShare = 0.8
	// outboxSeconds is the age of the oldest record.
	outboxSeconds = 300
)

// runbooks is where the runbooks are; a file per alert.
const runbooks = "https://github.com/cdr-exporter/cdr-exporter/blob/main/docs/runbooks/"

// job is the name of the scrape job in docs/prometheus.md. An exporter that has ever
// answered is known without it.
const job = "cdr-exporter"
