package msgraph

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// callRecord is a call record of Teams as Graph sends it, as far as it is used: with
// its sessions, their segments, and the participants (microsoft.graph.callRecords).
// Everything may be null or missing, in spite of what the schema says. What isn't read,
// and why, is in testdata/callrecords.tsv.
type callRecord struct {
	ID           string        `json:"id"`
	Version      int64         `json:"version"`
	Type         string        `json:"type"`
	Modalities   []string      `json:"modalities"`
	Modified     time.Time     `json:"lastModifiedDateTime"`
	Start        time.Time     `json:"startDateTime"`
	End          time.Time     `json:"endDateTime"`
	Organizer    *participant  `json:"organizer_v2"`
	Participants []participant `json:"participants_v2"`
	Sessions     []session     `json:"sessions"`

	MoreSessions string `json:"sessions@odata.nextLink"`
}

// participant is somebody or something that took part.
type participant struct {
	ID       string      `json:"id"`
	Identity identitySet `json:"identity"`
}

// identitySet says who it is: one of these is given.
type identitySet struct {
	User                *identity `json:"user"`
	Phone               *identity `json:"phone"`
	Guest               *identity `json:"guest"`
	Encrypted           *identity `json:"encrypted"`
	OnPremises          *identity `json:"onPremises"`
	ApplicationInstance *identity `json:"applicationInstance"`
	Application         *identity `json:"application"`
	Device              *identity `json:"device"`
	ACSUser             *identity `json:"azureCommunicationServicesUser"`
}

// identity is an id with a name. That of a telephone is its number.
type identity struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Principal   string `json:"userPrincipalName"`
}

// session is one session of a call.
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

	MoreSegments string `json:"segments@odata.nextLink"`
}

// name is what a session is known by, in whatever case; empty if there is no id.
func (s *session) name() string { return strings.ToLower(s.ID) }

// segment is a part of a session, such as before and after a transfer.
type segment struct {
	ID      string    `json:"id"`
	Caller  *endpoint `json:"caller"`
	Callee  *endpoint `json:"callee"`
	Failure *failure  `json:"failureInfo"`
	Media   []media   `json:"media"`
	Start   time.Time `json:"startDateTime"`
	End     time.Time `json:"endDateTime"`
}

// name tells segments of a session apart, of which the first may have the session's id;
// empty if there is no id.
func (part *segment) name() string {
	if part.ID == "" {
		return ""
	}
	return strings.ToLower(part.ID) + " " + part.Start.UTC().Format(time.RFC3339Nano)
}

// failure says where a session or segment failed; nil: it didn't.
type failure struct {
	Reason string `json:"reason"`
	Stage  string `json:"stage"`
}

// endpoint is one end of a session: a participant's client, or a service.
type endpoint struct {
	UserAgent  *userAgent   `json:"userAgent"`
	Identity   *identitySet `json:"identity"`
	Associated *identity    `json:"associatedIdentity"`
	Name       string       `json:"name"`
	CPU        string       `json:"cpuName"`
	Cores      *int64       `json:"cpuCoresCount"`
	Megahertz  *int64       `json:"cpuProcessorSpeedInMhz"`
	Feedback   *feedback    `json:"feedback"`
}

// userAgent is a client's or a service's.
type userAgent struct {
	HeaderValue        string `json:"headerValue"`
	ApplicationVersion string `json:"applicationVersion"`
	Platform           string `json:"platform"`
	ProductFamily      string `json:"productFamily"`
	Role               string `json:"role"`
}

// feedback is what a user said of the call.
type feedback struct {
	Rating string `json:"rating"`
	Text   string `json:"text"`
}

// media is one kind of media of a segment. The devices are for looking a call up only.
type media struct {
	Label         string          `json:"label"`
	CallerDevice  json.RawMessage `json:"callerDevice"`
	CalleeDevice  json.RawMessage `json:"calleeDevice"`
	CallerNetwork *network        `json:"callerNetwork"`
	CalleeNetwork *network        `json:"calleeNetwork"`
	Streams       []stream        `json:"streams"`
}

// network is how an end was connected.
type network struct {
	ConnectionType string `json:"connectionType"`

	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler: it keeps the whole for looking a call up.
func (n *network) UnmarshalJSON(raw []byte) error {
	type plain network
	n.raw = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(n))
}

// stream is one way of a medium. Ratios are from 0 to 1, but for the percentage that
// says so.
type stream struct {
	Direction     string   `json:"streamDirection"`
	AudioCodec    string   `json:"audioCodec"`
	VideoCodec    string   `json:"videoCodec"`
	Jitter        *isoSpan `json:"averageJitter"`
	RoundTrip     *isoSpan `json:"averageRoundTripTime"`
	Loss          *single  `json:"averagePacketLossRate"`
	Concealed     *single  `json:"averageRatioOfConcealedSamples"`
	FrameLossPct  *single  `json:"averageVideoFrameLossPercentage"`
	FrameRate     *single  `json:"averageVideoFrameRate"`
	CorrectedLoss *single  `json:"postForwardErrorCorrectionPacketLossRate"`
	Packets       *int64   `json:"packetUtilization"`
	MediaBypassed *bool    `json:"wasMediaBypassed"`

	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler: it keeps the whole for looking a call up.
func (s *stream) UnmarshalJSON(raw []byte) error {
	type plain stream
	s.raw = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(s))
}
