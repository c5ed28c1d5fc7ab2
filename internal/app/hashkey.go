package app

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// hashKeyInterval is how often the file of privacy.hash_key is read again. Other
// secrets are read when they are used; this one is used with each record.
const hashKeyInterval = 30 * time.Second

// HashKey is privacy.hash_key, nil if it isn't set.
func HashKey(ctx context.Context, c *config.Config) ([]byte, error) {
	key, err := c.Privacy.HashKey.Bytes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read privacy.hash_key: %w", err)
	}
	return key, nil
}

// watchHashKey takes over a changed key until the context ends, and keeps the former one while the file can't be read.
func (a *App) watchHashKey(ctx context.Context) {
	ticker := time.NewTicker(hashKeyInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		a.rereadHashKey(ctx)
	}
}

func (a *App) rereadHashKey(ctx context.Context) {
	if !a.reloading.TryLock() {
		return // a reload reads it too, and Stop waits for this
	}
	defer a.reloading.Unlock()
	r := a.running.Load()
	key, err := HashKey(ctx, r.config)
	switch {
	case err != nil:
		a.logger.Warn("privacy.hash_key can't be read again; the previous key stays in effect.", "err", err)
	case !bytes.Equal(key, r.hashKey):
		r.hashKey = key
		a.ledger.Tune(r.tuning(), r.metricOptions())
		a.logger.Info("privacy.hash_key was reloaded from its file.")
	}
}
