package ringcentral

// actionEmergency is the action of calls to emergency services.
const actionEmergency = "emergency"

// actions are the values of `action`, of rows and, in older lists, of legs. Whether one
// is a call: contract 3 says so, for there are rows of what phones do besides calls.
var actions = map[string]struct{ noCall bool }{
	"e911 update":   {noCall: true},
	"monitoring":    {noCall: true},
	"barge in call": {noCall: true},
	"paging":        {noCall: true},
	"text relay":    {noCall: true},
	"phone login":   {noCall: true},

	"411 info":             {},
	"accept call":          {},
	"call park":            {},
	"call return":          {},
	"callout-callme":       {},
	"calling card":         {},
	"conference call":      {},
	actionEmergency:        {},
	"external application": {},
	"findme":               {},
	"followme":             {},
	"freespdl":             {},
	"hunting":              {},
	actionIncomingFax:      {},
	"meetingscall":         {},
	"move":                 {},
	actionOutgoingFax:      {},
	"park location":        {},
	"phone call":           {},
	"pickup":               {},
	"rc meetings":          {},
	"ring directly":        {},
	"ringme":               {},
	"ringout mobile":       {},
	"ringout pc":           {},
	"ringout web":          {},
	"silentmonitoring":     {},
	"sip forwarding":       {},
	"support":              {},
	"transfer":             {},
	"unknown":              {},
	"voicechat call":       {},
	"voip call":            {},
}

// The actions of faxes. They tell a fax in a row without a type; a row of type Voice is
// a call all the same.
const (
	actionIncomingFax = "incoming fax"
	actionOutgoingFax = "outgoing fax"
)

// legTypes are the values of `legType`.
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

// recordingTypes are the values of `recording.type`.
var recordingTypes = map[string]bool{"automatic": true, "ondemand": true}
