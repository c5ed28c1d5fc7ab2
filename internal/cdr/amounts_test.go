package cdr_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestAmounts(t *testing.T) {
	money := func(text string) *cdr.Money {
		m, err := cdr.ParseMoney(text)
		require.NoError(t, err)
		return &m
	}
	var a, b cdr.Amounts
	a.Add("EUR", money("0.1"))
	a.Add("EUR", money("0.02"))
	a.Add("USD", money("0"))
	b.Add("USD", money("3"))
	b.AddAll(a)
	for _, c := range []struct {
		name      string
		got, want map[string]string
	}{
		{"sums without zeros", a.Texts(), map[string]string{"EUR": "0.12"}},
		{"both", b.Texts(), map[string]string{"EUR": "0.12", "USD": "3"}},
		{"a difference", a.Minus(b).Texts(), map[string]string{"USD": "-3"}},
		{"of nothing", cdr.Amounts(nil).Minus(b).Texts(), map[string]string{"EUR": "-0.12", "USD": "-3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !maps.Equal(c.got, c.want) {
				t.Errorf("got %v, want %v", c.got, c.want)
			}
		})
	}
}

func TestMinutes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.000000", 90 * time.Second: "1.500000", -time.Second: "-0.016667", 30 * time.Microsecond: "0.000001",
		-29 * time.Microsecond: "0.000000", -30 * time.Microsecond: "-0.000001",
	} {
		if got := cdr.Minutes(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
