package ledger

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
)

// A source may have one secret that its provider changes, such as a refresh token. Who keeps it encrypts it: the ledger has no key for it.

func secretName(source string) string { return "secret of " + source }

// StoreSecret keeps the encrypted secret of a source in place of the one before. It is durable when it returns.
func (l *Ledger) StoreSecret(ctx context.Context, source string, sealed []byte) error {
	if err := l.Replaced(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commitAlone(ctx, func() error {
		_, err := l.engine.Exec(`INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			secretName(source), base64.StdEncoding.EncodeToString(sealed))
		return err
	})
}

// LoadSecret reads what StoreSecret kept last for the first of the names that has something; nil: none has.
func (l *Ledger) LoadSecret(ctx context.Context, sources ...string) ([]byte, error) {
	reader, err := l.readSession(ctx)
	if err != nil {
		return nil, err
	}
	return reader.secret(sources)
}

// ReadSecret is LoadSecret for a command, without the ledger's lock. Without a ledger there is no secret.
func ReadSecret(ctx context.Context, s Storage, sources ...string) (sealed []byte, err error) {
	if err = s.mustExist(); err == nil {
		var e *engine
		if e, err = openEngine(ctx, s.database(), access{view: true}, nil); err == nil {
			defer e.close() //nolint:errcheck // nothing was written
			return e.secret(sources)
		}
	}
	if errors.Is(err, errNoLedger) {
		return nil, nil
	}
	return nil, err
}

func (s *session) secret(sources []string) ([]byte, error) {
	for _, source := range sources {
		var value string
		err := s.ScanRow(`SELECT value FROM meta WHERE name = ?`, []any{secretName(source)}, &value)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the secret of a source: %w", err)
		}
		sealed, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, errors.New("the ledger's secret of a source is damaged")
		}
		return sealed, nil
	}
	return nil, nil
}
