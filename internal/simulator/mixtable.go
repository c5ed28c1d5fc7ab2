package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mixTable is a mix in its written form; D is the provider's own data about a kind.
type mixTable[D any] struct {
	Mix    `yaml:",inline"`
	Trunks []struct {
		Trunk  `yaml:",inline"`
		Bypass *bool
	}
	Kinds, Incident []*kindRow[D]
	// Usual are default properties of all kinds.
	Usual struct {
		NoMedia  bool `yaml:"no_media"`
		NoInvite bool `yaml:"no_invite"`
		Ring     time.Duration
	}
}

type kindRow[D any] struct {
	Kind               `yaml:",inline"`
	Detail             D `yaml:",inline"`
	Direction, Outcome string
	// Codes are the SIP code and Microsoft's.
	Codes []int64
	// Emergency is the dialled number.
	Emergency Party
	Becomes   *kindRow[D]
}

// ReadMix makes a mix of YAML tables, whose keys are the fields of Mix, Kind and D. A kind without
// weight isn't drawn: others refer to it. complete adds what follows from D; it may be nil. Invalid
// tables panic.
func ReadMix[D any](complete func(*Kind, *D), tables ...string) *Mix {
	t := mixTable[D]{Mix: Mix{Components: [2]string{"usage", "connection"}, MoneyUnit: 100, Mask: '*'}}
	for _, text := range tables {
		ReadTable(text, &t)
	}
	for _, row := range t.Trunks {
		if row.Bypass != nil {
			row.Trunk.Bypass = cdr.KnownBool(*row.Bypass)
		}
		t.Mix.Trunks = append(t.Mix.Trunks, row.Trunk)
	}
	kinds := func(rows []*kindRow[D]) (drawn []Kind) {
		for _, row := range rows {
			if k := t.kind(row, complete); k.Weight > 0 {
				drawn = append(drawn, *k)
			}
		}
		return drawn
	}
	t.Mix.Kinds, t.Mix.Incident = kinds(t.Kinds), kinds(t.Incident)
	return &t.Mix
}

func (t *mixTable[D]) kind(row *kindRow[D], complete func(*Kind, *D)) *Kind {
	if row == nil {
		return nil
	}
	k := &row.Kind
	k.Direction = Named(row.Direction, cdr.DirectionUnknown, cdr.Inbound, cdr.Outbound, cdr.Internal)
	k.Outcome = Named(row.Outcome, cdr.Outcomes()...)
	k.NoMedia, k.NoInvite, k.Ring = k.NoMedia || t.Usual.NoMedia, k.NoInvite || t.Usual.NoInvite,
		cmp.Or(k.Ring, t.Usual.Ring)
	k.Becomes = t.kind(row.Becomes, complete)
	if len(row.Codes) == 2 {
		k.SIPCode, k.SubCode = cdr.KnownInt(row.Codes[0]), cdr.KnownInt(row.Codes[1])
	}
	if row.Emergency != "" {
		k.Party, k.Emergency = row.Emergency, cdr.EmergencyReal
		if row.Emergency == Dial933 {
			k.Emergency = cdr.EmergencyTest
		}
	}
	k.Detail = &row.Detail
	if complete != nil {
		complete(k, &row.Detail)
	}
	return k
}

// ReadTable reads a YAML table. An invalid one panics.
func ReadTable(text string, into any) {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		panic(fmt.Sprintf("simulated mix: %v", err))
	}
}

// Named is the value with a name; without one it panics.
func Named[T fmt.Stringer](name string, values ...T) T {
	i := slices.IndexFunc(values, func(v T) bool { return v.String() == name })
	if i < 0 {
		panic(fmt.Sprintf("simulated mix: %q isn't one of %v", name, values))
	}
	return values[i]
}
