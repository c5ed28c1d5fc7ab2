package simulator

import "time"

// Now is the provider's time, the time of its Date header.
func (h *Host) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now()
}

func (h *Host) now() time.Time {
	now := h.at
	if now.IsZero() {
		now = time.Now()
	}
	return now.Add(h.offset).UTC()
}

// Visible is the instant up to which rows are published: Now, unless held.
func (h *Host) Visible() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held.IsZero() {
		return h.held
	}
	return h.now()
}

// Advance moves the provider's time by d, and with it the held instant.
func (h *Host) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset += d
	if !h.held.IsZero() {
		h.held = h.held.Add(d)
	}
}

// Pause stops publication at the current instant and returns it; the clock continues.
func (h *Host) Pause() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held.IsZero() {
		h.held = h.now()
	}
	return h.held
}

// Resume publishes what was held back.
func (h *Host) Resume() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = time.Time{}
}
