package declared

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// seal encrypts records that wait in the ledger for the replica that reads their feed. Its keys are the ledger's, which all replicas have: a token
// that changes meanwhile makes no record unreadable.
type seal struct {
	aead  cipher.AEAD
	names []byte
}

var errUnsealed = errors.New("what another replica put into the ledger can't be decrypted: the ledger is damaged, or not the one that it was put into")

// newSeal derives the keys; derive gives secrets of 32 bytes.
func newSeal(derive func(purpose string) []byte) *seal {
	block, err := aes.NewCipher(derive("posted records"))
	if err != nil {
		panic(err) // the key is of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // it isn't AES
	}
	return &seal{aead: aead, names: derive("names of posted records")}
}

// name is the same for the same record, and says nothing of it.
func (s *seal) name(record []byte) string {
	h := hmac.New(sha256.New, s.names)
	h.Write(record)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (s *seal) close(record []byte) string {
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, record, nil))
}

func (s *seal) open(sealed string) ([]byte, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errUnsealed
	}
	record, err := s.aead.Open(nil, nil, text, nil)
	if err != nil {
		return nil, errUnsealed
	}
	return record, nil
}
