package msgraph

import (
	"encoding/json"
	"math"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// single is an Edm.Single, which OData writes as a number but for NaN and the infinities:
// those are texts, and no measure.
type single float64

// UnmarshalJSON implements json.Unmarshaler.
func (s *single) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case `"NaN"`, `"INF"`, `"-INF"`:
		*s = single(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(s))
}

// share is a share of a whole, from 0 to 1. What lies outside of it wasn't measured.
func (s *single) share(whole single) cdr.Float {
	if s == nil || !(*s >= 0 && *s <= whole) {
		return cdr.Float{}
	}
	return cdr.KnownFloat(float64(*s / whole))
}

// rate is a number that isn't below zero.
func (s *single) rate() cdr.Float {
	if s == nil || !(*s >= 0) || math.IsInf(float64(*s), 0) {
		return cdr.Float{}
	}
	return cdr.KnownFloat(float64(*s))
}
