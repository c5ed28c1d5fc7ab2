package ringcentral

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// row is a record of the call log (CallLogRecord of RingCentral's specification), with the members
// that the mapping reads. An absent or null member is the zero value.
type row struct {
	ID                 string   `json:"id"`
	SessionID          string   `json:"sessionId"`
	TelephonySessionID string   `json:"telephonySessionId"`
	PartyID            string   `json:"partyId"`
	Type               string   `json:"type"`
	InternalType       string   `json:"internalType"`
	Direction          string   `json:"direction"`
	Action             string   `json:"action"`
	Result             string   `json:"result"`
	Reason             string   `json:"reason"`
	ReasonDescription  string   `json:"reasonDescription"` // localised
	Transport          string   `json:"transport"`
	DelegationType     string   `json:"delegationType"`
	MetadataCategories []string `json:"metadataCategories"`
	ShortRecording     bool     `json:"shortRecording"`
	Deleted            bool     `json:"deleted"`

	From           party     `json:"from"`
	To             party     `json:"to"`
	Extension      extension `json:"extension"`
	Recording      linked    `json:"recording"`
	Message        linked    `json:"message"`
	Delegate       delegate  `json:"delegate"`
	TransferTarget session   `json:"transferTarget"`
	Transferee     session   `json:"transferee"`
	Legs           []*leg    `json:"legs"`

	Billing struct {
		Included  *amount `json:"costIncluded"`
		Purchased *amount `json:"costPurchased"`
	} `json:"billing"`
}

// leg is a part of a call (CallLogRecordLegInfo).
type leg struct {
	LegType    string    `json:"legType"`
	Action     string    `json:"action"`
	Master     bool      `json:"master"`
	StartTime  string    `json:"startTime"`
	Duration   *int64    `json:"duration"`   // seconds
	DurationMs *int64    `json:"durationMs"` // newer, and exact
	Direction  string    `json:"direction"`
	Result     string    `json:"result"`
	Extension  extension `json:"extension"`
	From       who       `json:"from"`
	To         who       `json:"to"`
	Recording  linked    `json:"recording"`
}

// who is the caller or the callee of a row or leg, with the members that the mapping reads.
type who struct {
	ExtensionID string `json:"extensionId"` // a string here
	Name        string `json:"name"`
}

// party is the caller or callee of a call.
type party struct {
	who

	PhoneNumber     string `json:"phoneNumber"`
	ExtensionNumber string `json:"extensionNumber"`
	Location        string `json:"location"`
	// DialerNumber belongs to callers, DialedNumber to callees.
	DialerNumber string `json:"dialerPhoneNumber"`
	DialedNumber string `json:"dialedPhoneNumber"`
	Device       device `json:"device"`
}

type device struct {
	ID string `json:"id"`
}

// extension is a user, a queue, a menu or another extension of the account.
type extension struct {
	ID *int64 `json:"id"` // here a number, which may exceed 32 bits
}

// linked is a recording, a voicemail or a fax.
type linked struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type delegate struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// session is another session of a transferred call.
type session struct {
	TelephonySessionID string `json:"telephonySessionId"`
}

// amount is money, exactly as written.
type amount struct{ cdr.Money }

// UnmarshalJSONFrom parses the number's text, before it can become a float.
func (a *amount) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err == nil {
		a.Money, err = cdr.ParseMoney(string(value)) // a quoted string gives an error
	}
	return err
}

// rowOptions: text that isn't UTF-8 is repaired; a repeated name is an error, because either value
// may be the right one.
var rowOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(false))

// decodeRow reads a row, which must be valid JSON, or returns its problem without any of its
// content.
func decodeRow(value []byte, into *row) (problem string) {
	*into = row{}
	if value[0] != '{' {
		return "it isn't an object"
	}
	if err := json.Unmarshal(value, into, rowOptions); err != nil {
		return problemOf(err)
	}
	// Ids are compared byte by byte. A repaired id could equal another one.
	if !utf8.Valid(value) && strings.ContainsRune(into.ID, utf8.RuneError) {
		return "id is not UTF-8"
	}
	if slices.Contains(into.Legs, nil) {
		return "legs holds null"
	}
	return ""
}

// problemOf describes a decoder's error. The decoder's own text may quote the row. The path only
// has names that the mapping knows, and positions, because nothing else is decoded.
func problemOf(err error) string {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return "a member is given twice"
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return "it can't be decoded"
	}
	path := strings.Join(slices.Collect(semantic.JSONPointer.Tokens()), ".")
	return path + " doesn't have the documented type"
}
