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

var legTypes = map[string]bool{
	"accept": true, "callback": true, "callingcard": true, "callmecallout": true, "callpark": true, "conferencecall": true,
	"extensiontoextension": true, "faxsent": true, "findme": true, "followme": true, "hunting": true, "imscall": true,
	"ivacall": true, "joincall": true, "meetingscall": true, "mobileapp": true, "monitoring": true, "movetoconference": true,
	"outgoingfreespdl": true, "pagingserver": true, "parklocation": true, "pickup": true, "pstntosip": true, "ringdirectly": true,
	"ringme": true, "ringoutclienttocaller": true, "ringoutclienttosubscriber": true, "ringoutdevicetocaller": true,
	"ringoutdevicetosubscriber": true, "ringoutonelegtocaller": true, "ringoutwebtocaller": true, "ringoutwebtosubscriber": true,
	"serviceminus2": true, "serviceminus3": true, "silentmonitoring": true, "sipforwarding": true, "siptopstnmetered": true,
	"siptopstnunmetered": true, "testcall": true, "textrelay": true, "transfercall": true, "unknown": true, "voicechat": true,
}
