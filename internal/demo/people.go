package demo

import (
	"fmt"
	"strings"
)

// people are the users of Teams and the extensions of the PBX, with their departments; RingCentral's users have the same extensions.
func (p *Providers) people() string {
	var text strings.Builder
	text.WriteString("user,department\n")
	add := func(n int, user string) {
		fmt.Fprintf(&text, "%s,%s\n", user, []string{"Sales", "Support", "Logistics"}[n%3])
	}
	for n, u := range p.PSTN.Mix().Users {
		add(n, u.Principal)
	}
	for n := range 20 {
		add(n, fmt.Sprint(101+n))
	}
	return text.String()
}
