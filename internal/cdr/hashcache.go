package cdr

import (
	"strings"
	"sync"
)

// cachedHashes bounds a hashCache: two hashes of some 150 bytes for as many users
// as a large tenant has on the phone at once.
const cachedHashes = 8192

// hashCache remembers the hashes of texts that recur. When it is full it begins
// anew, so what doesn't recur costs nothing for long. It is safe for concurrent
// use.
type hashCache struct {
	mu  sync.Mutex
	all map[string]string // guarded by mu
}

// hashOf is the hash of a text, made by hash if it isn't known.
func (c *hashCache) hashOf(text string, hash func(string) string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, known := c.all[text]; known {
		return h
	}
	if len(c.all) >= cachedHashes {
		clear(c.all)
	}
	h := hash(text)
	c.all[strings.Clone(text)] = h
	return h
}
