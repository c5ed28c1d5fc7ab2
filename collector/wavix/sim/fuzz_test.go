package sim

import (
	"net/url"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		options(Placed).Encode(), "from=2026-03-02&to=2026-03-01&type=received", "from=2026-03-02&to=2026-03-02&type=received&page=0",
		"per_page=99999999999999999999", "from=%zz", "from=0000-01-01&to=9999-12-31&type=placed&page=2147483647&per_page=2147483647", "",
	} {
		f.Add(seed)
	}
	server := &Server{settings: Settings{MaxPerPage: 1000}, zone: begin.Location()}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, invalid := server.parse(values)
		if invalid == "" && (q.to.Before(q.from) || q.page < 1 || q.perPage < 1 || q.perPage > 1000 || q.skip() < 0 || q.disposition == "") {
			t.Errorf("%+v was let through", q)
		}
	})
}
