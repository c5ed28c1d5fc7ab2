package counting

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/dchest/siphash"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// kind distinguishes the facts that are counted once each (counting.md 14).
type kind byte

const (
	kindCall      kind = 'c'
	kindRecording kind = 'r'
	kindSetAside  kind = 'x' // invalid and ignored rows, by content
	kindSession   kind = 's' // a session of a record
	kindCallKey   kind = 'k' // what the legs of a call share
	kindLink      kind = 'l' // from a record's own call key to its call's key
	kindOpenLeg   kind = 'o' // from an open leg, which isn't known as a record yet, to its call's key
	kindCounted   kind = 'n' // a call that was counted, by its key and the day on which it began
	kindAttempt   kind = 'a' // an attempt on a trunk, by the call and the trunk's channel
	kindEmergency kind = 'e' // a call that was counted as an emergency call
	kindUser      kind = 'u'
	kindUnmapped  kind = 'm' // a field of a record that has an unknown value
)

// Hash is the keyed hash under which a fact is known. It is compared with the hashes of one or two
// hours, or of the buckets of one feed. With a million new ids a day and 100,000 in their hours,
// two are equal once in 500,000 years.
type Hash uint64

// Hasher makes keyed hashes with the secret that is created with the ledger and kept in it. It isn't
// safe for concurrent use.
type Hasher struct {
	secret []byte
	// idKeys and fieldKeys are those of SipHash-2-4, a keyed hash made for short texts: of facts,
	// and of the values of fields.
	idKeys, fieldKeys [2]uint64
	buf               []byte
}

// NewSecret returns a new secret in the form that the ledger stores.
func NewSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// NewHasher reads a secret that NewSecret made.
func NewHasher(text string) (h Hasher, err error) {
	if h.secret, err = hex.DecodeString(text); err != nil || len(h.secret) != 32 {
		return Hasher{}, errors.New("the ledger's key is damaged: restore a backup")
	}
	for purpose, key := range map[string]*[2]uint64{"ids": &h.idKeys, "fields": &h.fieldKeys} {
		b := h.Derive(purpose)
		*key = [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])}
	}
	return h, nil
}

func (h *Hasher) String() string { return "<secret>" }

// Privacy is the key for redaction by hash.
func (h *Hasher) Privacy() []byte { return h.Derive("privacy") }

// Derive returns a key for a purpose. The keys of two purposes reveal nothing about each other.
func (h *Hasher) Derive(text string) []byte {
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Check is a number that distinguishes keys and doesn't give them away.
//
//nolint:gosec // the first bit is 0
func (h *Hasher) Check() int64 { return int64(binary.BigEndian.Uint64(h.Derive("check")) >> 1) }

func (h *Hasher) keyOf(k kind, parts ...string) Hash {
	h.buf = append(h.buf[:0], byte(k))
	for _, p := range parts {
		h.buf = pack.AppendText(h.buf, p)
	}
	return h.sum()
}

func (h *Hasher) sum() Hash { return Hash(siphash.Hash(h.idKeys[0], h.idKeys[1], h.buf)) }

// field is a 24-bit keyed hash of a field's value, never 0: 0 says absent.
func (h *Hasher) field(value []byte) uint32 {
	return max(uint32(siphash.Hash(h.fieldKeys[0], h.fieldKeys[1], value))&0xffffff, 1)
}

// RecordHash is the hash that a record with this id is remembered under. It is safe for concurrent use.
func (h *Hasher) RecordHash(id string) Hash {
	var memory [96]byte
	text := pack.AppendText(append(memory[:0], byte(kindCall)), "id")
	return Hash(siphash.Hash(h.idKeys[0], h.idKeys[1], pack.AppendText(text, id)))
}

// RecordKey is the hash that a record is remembered under: of its id or, without one, of what it says of itself.
func (h *Hasher) RecordKey(r *cdr.Record) Hash {
	if r.ID != "" {
		return h.RecordHash(r.ID)
	}
	return h.synthetic(r)
}

// hourHash is the hash that a record is remembered under if another call that started at another
// time has its id.
func (h *Hasher) hourHash(id string, hour int64) Hash {
	return h.keyOf(kindCall, "hour", id, strconv.FormatInt(hour, 10))
}

// synthetic is the hash of a record without an id, made of what it says of itself.
func (h *Hasher) synthetic(r *cdr.Record) Hash {
	return h.keyOf(kindCall, "synthetic", syntheticID(r))
}

// session is the key of a session of a record that is known by a key.
func (h *Hasher) session(record Hash, id string) Hash {
	h.buf = binary.BigEndian.AppendUint64(append(h.buf[:0], byte(kindSession), 8), uint64(record))
	h.buf = pack.AppendText(h.buf, id)
	return h.sum()
}

// pair is the key of a fact that is known by a hash and a number.
func (h *Hasher) pair(k kind, of Hash, n int64) Hash {
	h.buf = binary.BigEndian.AppendUint64(append(h.buf[:0], byte(k), 8), uint64(of))
	h.buf = binary.AppendVarint(h.buf, n)
	return h.sum()
}

// syntheticID is what a record without an id is known by: what it says of itself, and its number among its twins.
func syntheticID(r *cdr.Record) string {
	if r.Twin == 0 {
		return r.Synthetic
	}
	return r.Synthetic + "/" + strconv.Itoa(r.Twin)
}

// recordID is the provider's id of a record, or a keyed hash where it gives none.
func (h *Hasher) recordID(r *cdr.Record) string {
	if r.ID != "" {
		return r.ID
	}
	return hex.EncodeToString(h.Derive("record " + syntheticID(r))[:16])
}
