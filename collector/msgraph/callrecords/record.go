package callrecords

import "time"

// callRecord is a call record as Graph sends it (microsoft.graph.callRecords), with its sessions,
// segments and participants. It has only the members that are needed for counting. Any member may
// be null or missing, although the schema says otherwise. testdata/callrecords.tsv says which
// properties aren't read, and why.
type callRecord struct {
	ID           string        `json:"id"`
	Version      int64         `json:"version"`
	Type         string        `json:"type"`
	Modalities   []string      `json:"modalities"`
	Start        time.Time     `json:"startDateTime"`
	End          time.Time     `json:"endDateTime"`
	Organizer    *participant  `json:"organizer_v2"`
	Participants []participant `json:"participants_v2"`
	Sessions     []session     `json:"sessions"`
	Next         string        `json:"sessions@odata.nextLink"`

	listings []session // elements of sessions, in which one session may be listed several times
}

type participant struct {
	ID       string      `json:"id"`
	Identity identitySet `json:"identity"`
}

// identitySet identifies a party by exactly one of these members.
type identitySet struct {
	User       *identity `json:"user"`
	Phone      *identity `json:"phone"`
	Guest      *identity `json:"guest"`
	Encrypted  *identity `json:"encrypted"`
	OnPremises *identity `json:"onPremises"`
	ACSUser    *identity `json:"azureCommunicationServicesUser"`
	// Application is the resource account of a queue or an attendant. The schema doesn't have it,
	// but records of real tenants do.
	Application *identity `json:"applicationInstance"`
}

// identity is an id with a name. A telephone's id is its number.
type identity struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Principal   string `json:"userPrincipalName"`
}

type session struct {
	ID         string    `json:"id"`
	Caller     *endpoint `json:"caller"`
	Callee     *endpoint `json:"callee"`
	Failure    *failure  `json:"failureInfo"`
	Modalities []string  `json:"modalities"`
	Start      time.Time `json:"startDateTime"`
	End        time.Time `json:"endDateTime"`
	IsTest     bool      `json:"isTest"`
	Segments   []segment `json:"segments"`
	Next       string    `json:"segments@odata.nextLink"`
}

// segment is a part of a session, such as before and after a transfer.
type segment struct {
	ID     string    `json:"id"`
	Start  string    `json:"startDateTime"`
	Caller *endpoint `json:"caller"`
	Callee *endpoint `json:"callee"`
	Media  []media   `json:"media"`
}

// failure says at which stage a session or segment failed; nil if it didn't fail.
type failure struct {
	Reason string `json:"reason"`
	Stage  string `json:"stage"`
}

// endpoint is one end of a session: a participant's client, or a service.
type endpoint struct {
	UserAgent  *userAgent   `json:"userAgent"`
	Identity   *identitySet `json:"identity"`
	Associated *identity    `json:"associatedIdentity"`
	Feedback   *feedback    `json:"feedback"`
}

type userAgent struct {
	Platform      string `json:"platform"`
	ProductFamily string `json:"productFamily"`
	Role          string `json:"role"`
	Version       string `json:"applicationVersion"`
}

type feedback struct {
	Rating string `json:"rating"`
}

// media is one medium of a segment, such as audio.
type media struct {
	Label         string   `json:"label"`
	CallerNetwork *network `json:"callerNetwork"`
	CalleeNetwork *network `json:"calleeNetwork"`
	CallerDevice  *device  `json:"callerDevice"`
	CalleeDevice  *device  `json:"calleeDevice"`
	Streams       []stream `json:"streams"`
}

type network struct {
	ConnectionType string `json:"connectionType"`
	Address        string `json:"ipAddress"`
	Subnet         string `json:"subnet"`
	WiFiBand       string `json:"wifiBand"`
	WiFiSignal     *int64 `json:"wifiSignalStrength"`
}

// device is a microphone or loudspeaker, by the names that the computer has for it.
type device struct {
	Capture string `json:"captureDeviceName"`
	Render  string `json:"renderDeviceName"`
}

// stream is one direction of a medium. Ratios are from 0 to 1, except for the percentage. Durations
// are texts; one that can't be read doesn't make the record malformed.
type stream struct {
	Direction     string  `json:"streamDirection"`
	AudioCodec    string  `json:"audioCodec"`
	VideoCodec    string  `json:"videoCodec"`
	Jitter        string  `json:"averageJitter"`
	RoundTrip     string  `json:"averageRoundTripTime"`
	Loss          *single `json:"averagePacketLossRate"`
	Concealed     *single `json:"averageRatioOfConcealedSamples"`
	FrameLossPct  *single `json:"averageVideoFrameLossPercentage"`
	FrameRate     *single `json:"averageVideoFrameRate"`
	CorrectedLoss *single `json:"postForwardErrorCorrectionPacketLossRate"`
	Packets       *int64  `json:"packetUtilization"`
	MediaBypassed *bool   `json:"wasMediaBypassed"`
}
