package ringcentral

// The actions that the mapping looks at.
const (
	actionEmergency   = "emergency" // calls to emergency services
	actionIncomingFax = "incoming fax"
	actionOutgoingFax = "outgoing fax"
)

// noCallActions are the values of `action`, of rows and, in older lists, of legs, that are no calls: what phones do besides (contract 3).
var noCallActions = map[string]bool{
	"e911 update": true, "monitoring": true, "barge in call": true, "paging": true, "text relay": true, "phone login": true,
}

// callActions are its other values.
var callActions = map[string]bool{
	"411 info": true, "accept call": true, "call park": true, "call return": true, "callout-callme": true, "calling card": true,
	"conference call": true, actionEmergency: true, "external application": true, "findme": true, "followme": true, "freespdl": true,
	"hunting": true, actionIncomingFax: true, "meetingscall": true, "move": true, actionOutgoingFax: true, "park location": true,
	"phone call": true, "pickup": true, "rc meetings": true, "ring directly": true, "ringme": true, "ringout mobile": true,
	"ringout pc": true, "ringout web": true, "silentmonitoring": true, "sip forwarding": true, "support": true, "transfer": true,
	"unknown": true, "voicechat call": true, "voip call": true,
}
