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

// keyring is the ledger's own secret: made with it, kept in it.
type keyring struct {
	secret []byte
	// ids and fields are keys of SipHash-2-4, a keyed hash made for short texts: of facts, and of the values of fields.
	ids, fields [2]uint64
}

// newSecret is a secret in the form that the ledger keeps.
func newSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

func parseKeyring(text string) (k keyring, err error) {
	if k.secret, err = hex.DecodeString(text); err != nil || len(k.secret) != 32 {
		return keyring{}, errors.New("the ledger's key is damaged: restore a backup")
	}
	for purpose, key := range map[string]*[2]uint64{"ids": &k.ids, "fields": &k.fields} {
		b := k.derive(purpose)
		*key = [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])}
	}
	return k, nil
}

func (k *keyring) String() string { return "<secret>" }

// privacy is the key for redaction by hash, apart from the others.
func (k *keyring) privacy() []byte { return k.derive("privacy") }

// derive is a key for something else: keys of different texts tell nothing of each other.
func (k *keyring) derive(text string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// hasher makes hashes of facts; it isn't safe for concurrent use.
type hasher struct {
	key keyring
	buf []byte
}

// factKey is the hash of a fact.
func (h *hasher) factKey(k kind, parts ...string) hash {
	h.buf = append(h.buf[:0], byte(k))
	for _, p := range parts {
		h.buf = binary.AppendUvarint(h.buf, uint64(len(p)))
		h.buf = append(h.buf, p...)
	}
	return hash(siphash.Hash(h.key.ids[0], h.key.ids[1], h.buf))
}

// field is a 24-bit keyed hash of a field's value, never 0: 0 says absent.
func (h *hasher) field(value []byte) uint32 {
	return max(uint32(siphash.Hash(h.key.fields[0], h.key.fields[1], value))&0xffffff, 1)
}

// idKey is the hash of a record by an id, and synthetic by what it says of itself.
func (h *hasher) idKey(id string) hash { return h.factKey(kindCall, "id", id) }

func (h *hasher) synthetic(r *cdr.Record) hash {
	return h.factKey(kindCall, "synthetic", syntheticID(r))
}

// session is the key of a session of a record, whichever of the record's ids it comes
// under.
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
	return hex.EncodeToString(h.key.derive("record " + syntheticID(r))[:16])
}
