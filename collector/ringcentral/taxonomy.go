package ringcentral

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// outcomeMapping is the meaning of a result or a reason.
type outcomeMapping struct {
	outcome cdr.Outcome
	// reason is the slug of the label `reason`; empty if it says nothing about a failure.
	reason string
	// fault is set if the outcome doesn't give the right fault domain.
	fault cdr.FaultDomain
	// generic says that the reason decides, because the result isn't specific enough.
	generic bool
}

// folded is a RingCentral value in the tables' spelling: RingCentral's spellings differ in case and
// blanks.
func folded(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

// inProgress are the results of a call that hasn't ended. Only RingCentral's own client has the
// last two, and some others below.
var inProgress = map[string]bool{"in progress": true, "resultinprogress": true, "ringing elsewhere": true}

const (
	// resultPhoneLogin is the result of a row that only reports a phone's sign-in.
	resultPhoneLogin = "phone login"
	// resultAnsweredElsewhere is the result of a leg, or of a row in an extension's log, if another
	// leg or extension took the call.
	resultAnsweredElsewhere = "answered elsewhere"
)

// noResult maps a call without a result.
var noResult = outcomeMapping{generic: true}

// results are the values of `result` (docs/providers/ringcentral.md). The call log has no SIP codes.
// Results of faxes only occur on legs of voice calls: rows of faxes are ignored.
var results = map[string]outcomeMapping{
	"accepted":              {outcome: cdr.Answered},
	"call accepted":         {outcome: cdr.Answered},
	"call connected":        {outcome: cdr.Answered},
	resultAnsweredElsewhere: {outcome: cdr.Answered},
	"911":                   {outcome: cdr.Answered},
	"933":                   {outcome: cdr.Answered},

	"voicemail":          {outcome: cdr.Voicemail},
	"sent to voicemail":  {outcome: cdr.Voicemail},
	"callback requested": {outcome: cdr.Voicemail},

	"missed":                {outcome: cdr.NoAnswer, reason: "missed", generic: true},
	"no answer":             {outcome: cdr.NoAnswer, reason: "no_answer"},
	"answered not accepted": {outcome: cdr.NoAnswer, reason: "not_accepted"},
	"busy":                  {outcome: cdr.Busy, reason: "busy"},
	"hang up":               {outcome: cdr.Cancelled, reason: "hang_up"},
	"abandoned":             {outcome: cdr.Cancelled, reason: "abandoned"},
	"stopped":               {outcome: cdr.Cancelled, reason: "stopped"},
	"rejected":              {outcome: cdr.Rejected, reason: "rejected"},
	"declined":              {outcome: cdr.Rejected, reason: "declined"},
	"blocked":               {outcome: cdr.Rejected, reason: "blocked"},
	"reply":                 {outcome: cdr.Rejected, reason: "reply"},

	"wrong number": {outcome: cdr.InvalidNumber, reason: "number_not_found"},

	"not allowed":               {outcome: cdr.NotAllowed, reason: "not_allowed"},
	"restricted number":         {outcome: cdr.NotAllowed, reason: "restricted_number"},
	"international disabled":    {outcome: cdr.NotAllowed, reason: "international_disabled"},
	"international restricted":  {outcome: cdr.NotAllowed, reason: "international_restricted"},
	"international restriction": {outcome: cdr.NotAllowed, reason: "international_restricted"},
	"no calling credit":         {outcome: cdr.NotAllowed, reason: "no_credit"},
	"suspended":                 {outcome: cdr.NotAllowed, reason: "account_suspended"},
	"suspended account":         {outcome: cdr.NotAllowed, reason: "account_suspended"},

	"call failed":              {outcome: cdr.Failed, reason: "call_failed", generic: true},
	"call failure":             {outcome: cdr.Failed, reason: "call_failed", generic: true},
	"internal error":           {outcome: cdr.Failed, reason: "internal_error", fault: cdr.FaultProvider},
	"carrier is not active":    {outcome: cdr.Failed, reason: "carrier_inactive", fault: cdr.FaultCarrier},
	"edge trunk misconfigured": {outcome: cdr.Failed, reason: "trunk_misconfigured", fault: cdr.FaultSBC},
	"ip phone offline":         {outcome: cdr.Failed, reason: "phone_offline", fault: cdr.FaultUser},

	// Results that RingCentral itself documents as unknown.
	"unknown":      noResult,
	"resultempty":  noResult,
	"disconnected": noResult,

	// Results of faxes.
	"received":           {outcome: cdr.Answered},
	"sent":               {outcome: cdr.Answered},
	"fax on demand":      {outcome: cdr.Answered},
	"partial receive":    {outcome: cdr.Answered},
	"fax partially sent": {outcome: cdr.Answered},
	"partially sent":     {outcome: cdr.Answered},
	"fax receipt":        {outcome: cdr.Answered},
	"receive error":      {outcome: cdr.Failed, reason: "fax"},
	"fax receipt error":  {outcome: cdr.Failed, reason: "fax"},
	"send error":         {outcome: cdr.Failed, reason: "fax"},
	"fax not sent":       {outcome: cdr.Failed, reason: "fax"},
	"fax poor line":      {outcome: cdr.Failed, reason: "fax"},
	"poor line quality":  {outcome: cdr.Failed, reason: "fax"},
	"no fax machine":     {outcome: cdr.Failed, reason: "fax"},

	"in progress":       noResult,
	"resultinprogress":  noResult,
	"ringing elsewhere": noResult,
	resultPhoneLogin:    {},
	"":                  noResult, // none
}

// reasons are the values of `reason`; RingCentral documents their meanings. An outcome applies if
// the result is generic.
var reasons = map[string]outcomeMapping{
	"":         {}, // none
	"accepted": {outcome: cdr.Answered},
	// Something answered, such as somebody's own voicemail, but didn't take the call.
	"connected": {outcome: cdr.NoAnswer, reason: "not_accepted"},
	"unknown":   {},

	"line busy":    {outcome: cdr.Busy, reason: "busy"},
	"not answered": {outcome: cdr.NoAnswer, reason: "no_answer"},
	"no answer":    {outcome: cdr.NoAnswer, reason: "no_answer"},
	"hang up":      {outcome: cdr.Cancelled, reason: "hang_up"},
	"stopped":      {outcome: cdr.Cancelled, reason: "stopped"},

	"wrong number": {outcome: cdr.InvalidNumber, reason: "number_not_found"},
	"bad number":   {outcome: cdr.InvalidNumber, reason: "bad_number"},

	"no credit":                     {outcome: cdr.NotAllowed, reason: "no_credit"},
	"restricted number":             {outcome: cdr.NotAllowed, reason: "restricted_number"},
	"international disabled":        {outcome: cdr.NotAllowed, reason: "international_disabled"},
	"international restricted":      {outcome: cdr.NotAllowed, reason: "international_restricted"},
	"info 411 restricted":           {outcome: cdr.NotAllowed, reason: "restricted_411"},
	"customer 611 restricted":       {outcome: cdr.NotAllowed, reason: "restricted_611"},
	"calls not accepted":            {outcome: cdr.NotAllowed, reason: "calls_not_accepted"},
	"not allowed":                   {outcome: cdr.NotAllowed, reason: "not_allowed"},
	"number not allowed":            {outcome: cdr.NotAllowed, reason: "number_not_allowed"},
	"number disabled":               {outcome: cdr.NotAllowed, reason: "number_disabled"},
	"number blocked":                {outcome: cdr.Rejected, reason: "blocked"},
	"emergency address not defined": {outcome: cdr.NotAllowed, reason: "no_emergency_address"},
	"descnoe911address":             {outcome: cdr.NotAllowed, reason: "no_emergency_address"},

	"max call limit": {outcome: cdr.Failed, reason: "max_call_limit", fault: cdr.FaultPolicy},
	"too many calls": {outcome: cdr.Failed, reason: "too_many_calls", fault: cdr.FaultPolicy},

	"no digital line":          {outcome: cdr.Failed, reason: "phone_offline", fault: cdr.FaultUser},
	"call loop":                {outcome: cdr.Failed, reason: "loop", fault: cdr.FaultUser},
	"internal error":           {outcome: cdr.Failed, reason: "internal_error", fault: cdr.FaultProvider},
	"internal call error":      {outcome: cdr.Failed, reason: "internal_error", fault: cdr.FaultProvider},
	"failed try again":         {outcome: cdr.Failed, reason: "try_again", fault: cdr.FaultProvider},
	"resource error":           {outcome: cdr.Failed, reason: "resource_error", fault: cdr.FaultProvider},
	"carrier is not active":    {outcome: cdr.Failed, reason: "carrier_inactive", fault: cdr.FaultCarrier},
	"edge trunk misconfigured": {outcome: cdr.Failed, reason: "trunk_misconfigured", fault: cdr.FaultSBC},

	"fax not received":   {outcome: cdr.Failed, reason: "fax"},
	"fax partially sent": {outcome: cdr.Answered},
	"fax not sent":       {outcome: cdr.Failed, reason: "fax"},
	"fax poor line":      {outcome: cdr.Failed, reason: "fax"},
	"fax prepare error":  {outcome: cdr.Failed, reason: "fax"},
	"fax save error":     {outcome: cdr.Failed, reason: "fax"},
	"fax send error":     {outcome: cdr.Failed, reason: "fax"},
	"receive error":      {outcome: cdr.Failed, reason: "fax"},
}

// The actions that the mapping needs.
const (
	actionEmergency    = "emergency" // calls to emergency services
	actionIncomingFax  = "incoming fax"
	actionOutgoingFax  = "outgoing fax"
	actionCallPark     = "call park"
	actionParkLocation = "park location"
)

// noCallActions are the values of `action` that aren't calls but other things that phones do
// (docs/providers/ringcentral.md). Rows have them and, in older lists, legs.
var noCallActions = map[string]bool{
	"e911 update": true, "monitoring": true, "barge in call": true, "paging": true, "text relay": true,
	"phone login": true,
}

// callActions are the other values of `action`.
var callActions = map[string]bool{
	"411 info": true, "accept call": true, actionCallPark: true, "call return": true, "callout-callme": true,
	"calling card":    true,
	"conference call": true, actionEmergency: true, "external application": true, "findme": true, "followme": true,
	"freespdl": true,
	"hunting":  true, actionIncomingFax: true, "meetingscall": true, "move": true, actionOutgoingFax: true,
	actionParkLocation: true,
	"phone call":       true, "pickup": true, "rc meetings": true, "ring directly": true, "ringme": true,
	"ringout mobile": true,
	"ringout pc":     true, "ringout web": true, "silentmonitoring": true, "sip forwarding": true, "support": true,
	"transfer": true,
	"unknown":  true, "voicechat call": true, "voip call": true,
}

var legTypes = map[string]bool{
	"accept": true, "callback": true, "callingcard": true, "callmecallout": true, "callpark": true,
	"conferencecall":       true,
	"extensiontoextension": true, "faxsent": true, "findme": true, "followme": true, "hunting": true, "imscall": true,
	"ivacall": true, "joincall": true, "meetingscall": true, "mobileapp": true, "monitoring": true,
	"movetoconference": true,
	"outgoingfreespdl": true, "pagingserver": true, "parklocation": true, "pickup": true, "pstntosip": true,
	"ringdirectly": true,
	"ringme":       true, "ringoutclienttocaller": true, "ringoutclienttosubscriber": true,
	"ringoutdevicetocaller":     true,
	"ringoutdevicetosubscriber": true, "ringoutonelegtocaller": true, "ringoutwebtocaller": true,
	"ringoutwebtosubscriber": true,
	"serviceminus2":          true, "serviceminus3": true, "silentmonitoring": true, "sipforwarding": true,
	"siptopstnmetered":   true,
	"siptopstnunmetered": true, "siptosip": true, "testcall": true, "textrelay": true, "transfercall": true,
	"unknown":   true,
	"voicechat": true,
}
