// Package thresholds has the limits beyond which calls count as failing: what the alerting
// rules, the status page and the dashboards
// have in common. It is pure.
package thresholds

import "time"

// Thresholds are the parameters of the rules by which the status page judges too; rules.example.yaml says what each
// is for.
type Thresholds struct {
	ErrorBudget float64 `yaml:"error_budget"`
	DownRatio   float64 `yaml:"down_ratio"`
	FewShare    float64 `yaml:"few_share"`
	AnswerFloor int     `yaml:"answer_floor"`
	// PremiumCalls is how many calls to premium or satellite numbers of a country within an hour are too many.
	PremiumCalls int `yaml:"premium_calls"`
}

// Default returns the thresholds of the shipped rules.
func Default() Thresholds {
	return Thresholds{ErrorBudget: 0.01, DownRatio: 0.9, FewShare: 0.5, AnswerFloor: 20, PremiumCalls: 5}
}

// Burn is a burn rate: a factor of the error budget, and the least number of attempts (Floor). Microsoft calls a low
// NER on fewer than 100 calls possibly normal.
type Burn struct {
	Factor float64
	Floor  int
}

// The burn rates of CDRFailureSpike.
var (
	Fast = Burn{Factor: 14.4, Floor: 30}
	Slow = Burn{Factor: 6, Floor: 60}
)

const (
	// DownFloor is the number of attempts within minutes on which a trunk is called down.
	DownFloor = 5
	// RecentFloor is the number of its last attempts on which a trunk is judged.
	RecentFloor = 10
	// AnswerLeast is the share of calls that connect at most where answers have collapsed and what is usual isn't
	// known.
	AnswerLeast = 0.02
	// LeastFaults is from how many faults on a share of a few attempts means something.
	LeastFaults = 3
	// HalfConnect is the share of calls that connect at least where a feed that gives no reasons is judged to work.
	HalfConnect = 0.5
	// BurnWindow is how old an attempt may be that a burn rate counts: the longest window is 6 hours, and records
	// later than late_after (1 hour) are left out.
	BurnWindow = 7 * time.Hour
	// QuietAfter its newest call it isn't known whether a trunk still works.
	QuietAfter = 24 * time.Hour
)

// Limit is the share of faults above which the budget burns at a rate.
func (t *Thresholds) Limit(b Burn) float64 { return b.Factor * t.ErrorBudget }

// Counts are how attempts ended.
type Counts struct{ Attempts, Faults, Connected int }

// Add adds others.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Attempts + o.Attempts, c.Faults + o.Faults, c.Connected + o.Connected}
}

// FaultShare is the share of faults; 0 without attempts.
func (c Counts) FaultShare() float64 { return float64(c.Faults) / float64(max(c.Attempts, 1)) }

// Down says whether nearly every attempt fails (CDRTrunkDown).
func (t *Thresholds) Down(c Counts) bool {
	return c.Attempts >= DownFloor && c.FaultShare() >= t.DownRatio
}

// MostFail says whether most attempts fail (CDRFailureSpike).
func (t *Thresholds) MostFail(c Counts) bool {
	return c.Attempts >= RecentFloor && c.FaultShare() >= t.FewShare
}

// SomeFail says whether the faults burn the budget too fast (CDRFailureSpike).
func (t *Thresholds) SomeFail(c Counts) bool {
	return c.Faults >= LeastFaults && c.FaultShare() > t.Limit(Fast) || c.Attempts >= Slow.Floor &&
		c.FaultShare() > t.Limit(Slow)
}

// NoneConnect says whether hardly any attempt connects (CDRAnswersCollapsed without a week of history).
func (t *Thresholds) NoneConnect(c Counts) bool {
	return c.Attempts >= t.AnswerFloor && float64(c.Connected)/float64(c.Attempts) <= AnswerLeast
}
