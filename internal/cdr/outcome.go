package cdr

// Outcome is how a call ended, in the terms of docs/metrics.md.
type Outcome uint8

// The outcomes. The order is part of the ledger's format: append only.
const (
	Unknown       Outcome = iota // an unknown value from the provider
	Answered                     // a person answered
	Voicemail                    // voicemail answered
	Busy                         // the called party was busy
	NoAnswer                     // it rang, nobody answered
	Cancelled                    // the caller gave up before an answer
	Rejected                     // the called party or a block list declined
	InvalidNumber                // unassigned, incomplete or malformed
	NotAllowed                   // policy, licence, credit or permission of ours refused it
	Failed                       // network, trunk, carrier or service fault
	NotConnected                 // it didn't connect and the provider doesn't say why
	Machine                      // a queue, menu or announcement answered, and nobody else
)

var outcomeNames = [...]string{
	"unknown", "answered", "voicemail", "busy", "no_answer", "cancelled",
	"rejected", "invalid_number", "not_allowed", "failed", "not_connected", "machine",
}

// String is the label value.
func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes are all outcomes, in the order of their numbers.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomeNames))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// Connected says whether a person, voicemail or a machine answered: the network delivered the call.
func (o Outcome) Connected() bool { return o == Answered || o == Voicemail || o == Machine }

// Effective says whether the network succeeded (NER, ITU-T E.425).
func (o Outcome) Effective() bool {
	switch o {
	case Answered, Voicemail, Machine, Busy, NoAnswer, Cancelled, Rejected:
		return true
	case Unknown, InvalidNumber, NotAllowed, Failed, NotConnected:
	}
	return false
}

// Attempt says whether the call counts as an attempt in NER.
func (o Outcome) Attempt() bool { return o != Unknown && o != NotConnected }
