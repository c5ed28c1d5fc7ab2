package ringcentral

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// extras adds the values that only go to log records, as `cdr.ringcentral.*`. Ids and names of
// users and devices are treated like a user's id, extension numbers like numbers.
func extras(row *row, r *cdr.Record) {
	for _, e := range [...]struct {
		key, value string
		class      cdr.Privacy
	}{
		{"session_id", row.SessionID, cdr.Plain},
		{"telephony_session_id", row.TelephonySessionID, cdr.Plain},
		{"party_id", row.PartyID, cdr.Plain},
		{"action", row.Action, cdr.Words},
		{"result", row.Result, cdr.Words},
		{"reason", row.Reason, cdr.Words},
		{"transport", row.Transport, cdr.Words},
		{"internal_type", row.InternalType, cdr.Words},
		{"delegation_type", row.DelegationType, cdr.Words},
		{"delegate_id", row.Delegate.ID, cdr.User},
		{"delegate_name", row.Delegate.Name, nameClass(row.Delegate.Name)},
		{"transfer_target", row.TransferTarget.TelephonySessionID, cdr.Plain},
		{"transferee", row.Transferee.TelephonySessionID, cdr.Plain},
		{"message_id", row.Message.ID, cdr.Plain},
		{"message_type", row.Message.Type, cdr.Words},
		{"extension_id", row.Extension.text(), cdr.User},
	} {
		add(r, e.key, e.value, e.class)
	}
	partyExtras("from", &row.From, r)
	partyExtras("to", &row.To, r)
	if len(row.MetadataCategories) > 0 {
		r.Extra = append(r.Extra, cdr.Texts("metadata_categories", row.MetadataCategories, cdr.Words))
	}
	if row.ShortRecording {
		r.Extra = append(r.Extra, cdr.Truth("short_recording", true))
	}
}

func partyExtras(side string, p *party, r *cdr.Record) {
	add(r, side+"_name", p.name(), nameClass(p.Name))
	add(r, side+"_location", p.Location, cdr.Words)
	add(r, side+"_extension_id", p.ExtensionID, cdr.User)
	add(r, side+"_extension_number", p.ExtensionNumber, cdr.Number)
	add(r, side+"_device_id", p.Device.ID, cdr.User)
	add(r, side+"_dialer_number", p.DialerNumber, cdr.Number)
	add(r, side+"_dialed_number", p.DialedNumber, cdr.Number)
}

func add(r *cdr.Record, key, value string, class cdr.Privacy) {
	if value = strings.TrimSpace(value); value != "" {
		r.Extra = append(r.Extra, cdr.Text(key, value, class))
	}
}

// nameClass is the privacy class of a party's name, which may be a number: carriers replace names
// by numbers.
func nameClass(name string) cdr.Privacy {
	if strings.ContainsAny(name, "0123456789") && strings.Trim(name, "0123456789+-.()*xX ") == "" {
		return cdr.Number
	}
	return cdr.User
}
