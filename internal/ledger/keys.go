package ledger

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
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

// hash is the keyed 128-bit hash under which a fact is known.
type hash [16]byte

// keyring is the ledger's own secret: made with it, kept in it.
type keyring struct {
	secret [32]byte
	k0, k1 uint64 // for field hashes
}

func newKeyring() keyring {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return keyringOf(secret)
}

func keyringOf(secret [32]byte) keyring {
	fields := sha256.Sum256(append([]byte("fields"), secret[:]...))
	return keyring{
		secret: secret,
		k0:     binary.LittleEndian.Uint64(fields[:8]),
		k1:     binary.LittleEndian.Uint64(fields[8:16]),
	}
}

func parseKeyring(text string) (keyring, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return keyring{}, fmt.Errorf("the ledger's key is damaged: restore a backup")
	}
	return keyringOf([32]byte(raw)), nil
}

func (k *keyring) String() string { return "<secret>" }

// text is the form that the ledger keeps.
func (k *keyring) text() string { return hex.EncodeToString(k.secret[:]) }

// privacy is the key for redaction by hash, apart from the others.
func (k *keyring) privacy() []byte { return k.derive("privacy") }

// derive is a key for something else: keys of different texts tell nothing of each other.
func (k *keyring) derive(text string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// hasher makes hashes of facts; it isn't safe for concurrent use.
type hasher struct {
	key keyring
	buf []byte
}

// factKey is the hash of a fact. The key stands in front and has a fixed length, and the
// result is cut to half, so the hash can't be extended.
func (h *hasher) factKey(k kind, parts ...string) hash {
	h.buf = append(append(h.buf[:0], h.key.secret[:]...), byte(k))
	for _, p := range parts {
		h.buf = binary.AppendUvarint(h.buf, uint64(len(p)))
		h.buf = append(h.buf, p...)
	}
	sum := sha256.Sum256(h.buf)
	return hash(sum[:16])
}

// recordKey is the hash of a record's first key: its id, or what it says of itself.
func (h *hasher) recordKey(r *cdr.Record) hash {
	if r.ID != "" {
		return h.factKey(kindCall, "id", r.ID)
	}
	return h.synthetic(r)
}

func (h *hasher) synthetic(r *cdr.Record) hash {
	if r.Twin == 0 {
		return h.factKey(kindCall, "synthetic", r.Synthetic)
	}
	return h.factKey(kindCall, "synthetic", r.Synthetic, strconv.Itoa(r.Twin))
}

// field is a 24-bit keyed hash of a field's value, never 0: 0 says absent.
func (h *hasher) field(value []byte) uint32 {
	if v := uint32(siphash.Hash(h.key.k0, h.key.k1, value)) & 0xffffff; v != 0 {
		return v
	}
	return 1
}
