package cdr

// FaultDomain is the part of the network where a failed call ended: the label `fault_domain`.
type FaultDomain uint8

// The fault domains.
const (
	FaultUnknown  FaultDomain = iota // the codes don't say
	FaultUser                        // somebody was busy, misdialled, didn't answer or hung up
	FaultPolicy                      // policy, licence, credit or permission of ours refused the call
	FaultSBC                         // our own session border controller or trunk
	FaultCarrier                     // the telephone network behind the trunk
	FaultProvider                    // the provider's own service
)

var faultDomainNames = [...]string{"unknown", "user", "policy", "sbc", "carrier", "provider"}

// String is the label value.
func (f FaultDomain) String() string { return faultDomainNames[f] }

// FaultDomain is the domain that the outcome alone implies: unknown for failed and for connected
// calls.
func (o Outcome) FaultDomain() FaultDomain {
	switch o {
	case Busy, NoAnswer, Cancelled, Rejected, InvalidNumber:
		return FaultUser
	case NotAllowed:
		return FaultPolicy
	case Answered, Voicemail, Machine, Failed, NotConnected, Unknown:
	}
	return FaultUnknown
}
