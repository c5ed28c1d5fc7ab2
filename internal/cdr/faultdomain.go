package cdr

// FaultDomain says in whose part a call that didn't connect ended: the label `fault_domain`.
type FaultDomain uint8

// The fault domains.
const (
	// FaultUnknown: the codes don't say.
	FaultUnknown FaultDomain = iota
	// FaultUser: somebody was busy, misdialled, didn't answer or hung up.
	FaultUser
	// FaultPolicy: policy, licence, credit or permission of ours refused the call.
	FaultPolicy
	// FaultSBC: our own session border controller or trunk.
	FaultSBC
	// FaultCarrier: the telephone network behind the trunk.
	FaultCarrier
	// FaultProvider: the provider's own service.
	FaultProvider
)

var faultDomainNames = [...]string{"unknown", "user", "policy", "sbc", "carrier", "provider"}

// String is the label value.
func (f FaultDomain) String() string { return faultDomainNames[f] }

// FaultDomain is what an outcome alone says: unknown for what failed, and for what connected.
func (o Outcome) FaultDomain() FaultDomain {
	switch o {
	case Busy, NoAnswer, Cancelled, Rejected, InvalidNumber:
		return FaultUser
	case NotAllowed:
		return FaultPolicy
	case Answered, Voicemail, Failed, NotConnected, Unknown:
	}
	return FaultUnknown
}
