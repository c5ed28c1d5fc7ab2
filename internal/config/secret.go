package config

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// maxSecretSize limits a secret's file, in bytes.
const maxSecretSize = 1 << 20

// Secret is a password, token or key, inline or as the name of a file. The zero Secret is not set.
// A file is read at every use, so that a rotated secret needs no reload. It prints as <secret>. It
// is immutable and safe for concurrent use.
type Secret struct {
	// inline is a pointer: fmt can't call methods on unexported fields, so it prints an address
	// instead of the secret.
	inline *string
	file   string
}

// NewSecret returns a secret with a fixed value.
func NewSecret(value string) Secret { return Secret{inline: &value} }

// NewSecretFile returns a secret that is the content of a file.
func NewSecretFile(file string) Secret { return Secret{file: file} }

// IsSet reports whether the secret was set, inline or as a file.
func (s Secret) IsSet() bool { return s.inline != nil || s.file != "" }

// Value returns the secret as text, or an empty text if it isn't set. It removes one newline from
// the end of a file, because editors add it. An empty file is an error. Errors name the file, never
// its content.
func (s Secret) Value(ctx context.Context) (string, error) {
	content, err := s.Bytes(ctx)
	if err != nil || s.file == "" {
		return string(content), err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("read secret: %s is empty", s.file)
	}
	return text, nil
}

// Bytes returns the secret unchanged, for binary formats such as PKCS #12.
func (s Secret) Bytes(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	switch {
	case s.inline != nil:
		return []byte(*s.inline), nil
	case s.file == "":
		return nil, nil
	}
	content, err := readRegular(s.file, maxSecretSize+1)
	if err == nil && len(content) > maxSecretSize {
		err = fmt.Errorf("%s is larger than %d bytes", s.file, maxSecretSize)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return content, nil
}

// String returns <secret>, or nothing if it is not set.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return "<secret>"
}

// Format prints what String returns for every verb, %#v included.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalText returns what String returns, for JSON, YAML and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
