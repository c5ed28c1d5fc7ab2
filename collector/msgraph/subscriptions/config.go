package subscriptions

import (
	"net/url"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Webhook is the key `webhook`: where Graph sends its notifications.
type Webhook struct {
	// PublicURL is the address that Graph can reach. Its path is that of the listener.
	PublicURL string `yaml:"public_url"`
}

// Validate implements config.Validator.
func (w *Webhook) Validate(r *config.Report) {
	const want = "the https address that Graph reaches, with a path of its own, such as https://cdr.example.com/webhooks/contoso"
	u, err := url.Parse(w.PublicURL)
	switch {
	case w.PublicURL == "":
		r.Required("public_url", w.PublicURL, want)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		r.Problemf("public_url", "must be %s, without user, query and fragment", want)
	case u.Scheme != "https" && (u.Scheme != "http" || !config.IsLoopback(u.Hostname())):
		r.Problemf("public_url", "must be %s; plain http is for loopback only", want)
	case u.Path == "" || u.Path == "/":
		r.Problemf("public_url", "needs a path: it tells sources apart on the listener")
	}
}
