package ledger

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
)

// kind distinguishes the facts that are counted once each (counting.md 14).
type kind byte

const (
	kindCall      kind = 'c'
	kindRecording kind = 'r'
	kindSetAside  kind = 'x' // invalid and ignored rows, by content
	kindGroup     kind = 'g' // sessions that are listed once per view
	kindSession   kind = 's' // a session of a record, by the hash that the record is known by
	kindChild     kind = 'p' // a record a child of which has counted its failure, by the record's id
)

// hash is the keyed hash under which a fact is known. It is compared with those of one or two hours, or of the buckets of one feed: among
// a million new ids a day and 100,000 in their hours, two are the same once in 500,000 years.
type hash uint64

// hasher makes hashes of facts with the ledger's own secret, made with it and kept in it; it isn't safe for concurrent use.
type hasher struct {
	secret []byte
	// idKeys and fieldKeys are those of SipHash-2-4, a keyed hash made for short texts: of facts, and of the values of fields.
	idKeys, fieldKeys [2]uint64
	buf               []byte
}

// newSecret is a secret in the form that the ledger keeps.
func newSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

func newHasher(text string) (h hasher, err error) {
	if h.secret, err = hex.DecodeString(text); err != nil || len(h.secret) != 32 {
		return hasher{}, errors.New("the ledger's key is damaged: restore a backup")
	}
	for purpose, key := range map[string]*[2]uint64{"ids": &h.idKeys, "fields": &h.fieldKeys} {
		b := h.derive(purpose)
		*key = [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])}
	}
	return h, nil
}

func (h *hasher) String() string { return "<secret>" }

// privacy is the key for redaction by hash, apart from the others.
func (h *hasher) privacy() []byte { return h.derive("privacy") }

// derive is a key for something else: keys of different texts tell nothing of each other.
func (h *hasher) derive(text string) []byte {
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (h *hasher) factKey(k kind, parts ...string) hash {
	h.buf = append(h.buf[:0], byte(k))
	for _, p := range parts {
		h.buf = appendText(h.buf, p)
	}
	return hash(siphash.Hash(h.idKeys[0], h.idKeys[1], h.buf))
}

// field is a 24-bit keyed hash of a field's value, never 0: 0 says absent.
func (h *hasher) field(value []byte) uint32 {
	return max(uint32(siphash.Hash(h.fieldKeys[0], h.fieldKeys[1], value))&0xffffff, 1)
}

// idKey is the hash of a record by an id, and synthetic by what it says of itself.
func (h *hasher) idKey(id string) hash { return h.factKey(kindCall, "id", id) }

func (h *hasher) synthetic(r *cdr.Record) hash {
	return h.factKey(kindCall, "synthetic", syntheticID(r))
}

// session is the key of a session of a record, whichever of the record's ids it comes under.
func (h *hasher) session(st *state, s *cdr.Session) hash {
	return h.factKey(kindSession, string(binary.BigEndian.AppendUint64(nil, uint64(st.hash))), s.ID)
}

// syntheticID is what a record without an id is known by: what it says of itself, and its number among its twins.
func syntheticID(r *cdr.Record) string {
	if r.Twin == 0 {
		return r.Synthetic
	}
	return r.Synthetic + "/" + strconv.Itoa(r.Twin)
}

// recordID is the provider's id of a record, or a keyed hash where it gives none.
func (h *hasher) recordID(r *cdr.Record) string {
	if r.ID != "" {
		return r.ID
	}
	return hex.EncodeToString(h.derive("record " + syntheticID(r))[:16])
}
