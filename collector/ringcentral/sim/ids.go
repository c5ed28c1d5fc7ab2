package sim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// ids makes the ids of rows and recordings from the calls' places, and back: by an odd
// factor, which has an inverse.
type ids struct{ factor uint64 }

// The ids of the two scopes differ.
var (
	accountIDs   = ids{0x9e3779b97f4a7c15}
	extensionIDs = ids{0xd6e8feb86659fd93}
)

// rowSuffix ends the ids of rows.
const rowSuffix = "zUA"

// append appends a row's id.
func (n ids) append(dst []byte, c *simulator.Call) []byte {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], (c.Place()+1)*n.factor)
	return append(base64.RawURLEncoding.AppendEncode(dst, raw[:]), rowSuffix...)
}

// parse is the place of a row's id.
func (n ids) parse(id string) (uint64, bool) {
	text, ok := strings.CutSuffix(id, rowSuffix)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw)*n.inverse() - 1, true
}

// recordingBits keeps recordings' ids short.
const recordingBits = 53

func (n ids) appendRecording(dst []byte, c *simulator.Call) []byte {
	return strconv.AppendUint(dst, (c.RecordingPlace()+1)*n.factor&(1<<recordingBits-1), 10)
}

// parseRecording is the place of the call that a recording is of.
func (n ids) parseRecording(id string) (uint64, bool) {
	number, err := strconv.ParseUint(id, 10, recordingBits)
	return (number*n.inverse() - 1) & (1<<recordingBits - 1), err == nil
}

// inverse is the number that the factor becomes 1 with, by Newton's method.
func (n ids) inverse() uint64 {
	x := n.factor
	for range 5 {
		x *= 2 - n.factor*x
	}
	return x
}

// appendSession appends a session's id: that of the second session of a call in two is
// greater by 1000.
func appendSession(dst []byte, c *simulator.Call) []byte {
	id, further := c.CallID, uint64(0)
	if c.Second && c.Partner != (simulator.UUID{}) {
		id, further = c.Partner, 1000
	}
	return strconv.AppendUint(dst, binary.BigEndian.Uint64(id[8:])%900_000_000_000+100_000_000_000+further, 10)
}

func sessionText(c *simulator.Call) string { return string(appendSession(nil, c)) }

// appendTelephony appends the id of a telephony session.
func appendTelephony(dst []byte, id simulator.UUID) []byte {
	return hex.AppendEncode(append(dst, "s-"...), id[:])
}

func hexText(id simulator.UUID) string { return hex.EncodeToString(id[:]) }

// hasTelephony says whether a row has such an id: some lack it.
func hasTelephony(id simulator.UUID) bool { return id[15]%50 != 0 }
