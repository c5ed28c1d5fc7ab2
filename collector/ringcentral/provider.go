package ringcentral

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const providerName = "ringcentral"

// RingCentral's requests a minute, until an answer gives other limits (RingCentral, "Rate limits"):
// heavyLimit for the Heavy group, which has all of our API requests except the list of queues,
// mediumLimit for the Medium group with that list, authLimit for the Auth group with token
// requests. A request within the penalty restarts the penalty.
const (
	heavyLimit  = 10
	mediumLimit = 40
	authLimit   = 5
	penalty     = time.Minute
)

// Provider is RingCentral, for the list of providers.
func Provider() collector.Provider {
	return collector.NewProvider(providerName, Open,
		collector.FeedProperties{Name: feedCallLog, Reasons: true, Visits: true},
		collector.FeedProperties{Name: feedActiveCalls, Snapshot: true},
	)
}

// source is what the feeds of a source share.
type source struct {
	config   *Config
	settings collector.SourceSettings
	account  string // names app and user, which have a separate limit
	base     *url.URL
	client   *httpclient.Client
	medium   *httpclient.Client // has a separate limit
	creds    *credentials
	tokens   *httpclient.Tokens
}

// Open makes a source of a valid configuration. It sends no request.
func Open(config *Config, settings collector.SourceSettings) (*collector.Source, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil {
		return nil, errors.New("base_url is not a URL") // the parser's text would quote it
	}
	s := &source{config: config, settings: settings, base: base}
	if err := s.openClients(); err != nil {
		return nil, fmt.Errorf("prepare the connection to RingCentral: %w", err)
	}
	return &collector.Source{
		Feeds: s.feeds(), Account: s.account, Advise: Advise, CredentialExpiry: s.creds.expiry,
		Offset: s.client.Offset, ThrottledUntil: s.client.ThrottledUntil, Budget: s.client.Budget, Close: s.close,
	}, nil
}

// openClients makes the clients of the OAuth endpoints and of the API, which have separate limits.
func (s *source) openClients() (err error) {
	api := s.settings.Settings
	api.Limit = httpclient.Limit{Per: time.Minute, Penalty: penalty, HeaderPrefix: "X-Rate-Limit-"}
	api.BaseURL, api.RequestIDHeaders, api.Quote = s.config.BaseURL, []string{"RCRequestId"}, quote
	oauth := api
	oauth.RequestsPerMinute = 0 // the configured limit is for the API
	oauth.Limit.Requests, oauth.Limit.Group = authLimit, "auth"
	oauth.QuotaKey = strings.Join([]string{
		providerName, oauth.Limit.Group, strings.ToLower(s.base.Host),
		s.config.ClientID,
	}, " ")
	// The JWT names the account. Without it, calls would count under a name that the next start
	// doesn't find.
	jwt, err := s.config.JWT.Value(context.Background())
	if err != nil {
		return err
	}
	s.creds = &credentials{config: s.config, now: s.settings.Now}
	s.creds.user = s.creds.note(jwt)
	if s.creds.client, err = httpclient.New(oauth); err != nil {
		return err
	}
	s.tokens = httpclient.NewTokens(s.creds.token, s.settings.Now)

	api.Limit.Requests, api.Limit.Group = heavyLimit, "heavy"
	s.account = strings.Join([]string{
		providerName, api.Limit.Group, strings.ToLower(s.base.Host), s.config.ClientID,
		s.creds.user,
	}, " ")
	api.QuotaKey = s.account
	api.Token, api.KeepTokenOn403 = s.tokens, true
	if s.client, err = httpclient.New(api); err != nil {
		return err
	}
	api.Limit.Requests, api.Limit.Group = mediumLimit, "medium"
	api.QuotaKey = strings.Join([]string{
		providerName, api.Limit.Group, strings.ToLower(s.base.Host), s.config.ClientID,
		s.creds.user,
	}, " ")
	s.medium, err = httpclient.New(api)
	return err
}

func (s *source) feeds() []collector.FeedInfo {
	var feeds []collector.FeedInfo
	grouped := s.config.Scope == scopeExtension
	if c := s.config.CallLog; c != nil {
		log := &callLog{
			path: s.config.path("call-log"), view: c.wire(), grouped: grouped, machines: c.machines(), client: s.client,
			countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(s.settings.EmergencyNumbers),
		}
		if c.Queues {
			log.directory = s.medium
		}
		info := s.feed(feedCallLog)
		info.Reader, info.Limits = log, collector.Limits{MaxRange: maxRange, Retention: retention}
		info.Interval, info.Lookback, info.LateAfter = c.Interval, c.Lookback, c.LateAfter
		if info.Rules.Legs = grouped; grouped {
			info.Settle, info.WholeAfter = c.Settle, c.WholeAfter
		}
		info.Recording = log.recording
		info.Probe = collector.Probe(log, s.settings.Now)
		feeds = append(feeds, info)
	}
	if c := s.config.ActiveCalls; c != nil {
		active := &activeCalls{
			path: s.config.path("active-calls"), grouped: grouped, client: s.client,
			logger: s.settings.Logger,
		}
		read := collector.ActiveCalls(active.read)
		info := s.feed(feedActiveCalls)
		info.ActiveCalls, info.Interval, info.Probe = read, c.Interval, read.Probe
		feeds = append(feeds, info)
	}
	return feeds
}

func (s *source) feed(name string) collector.FeedInfo {
	info := collector.FeedInfo{
		Name: name, Fingerprint: s.fingerprint(), SameAccount: s.config.Account == accountSame,
		Currency: s.config.Currency,
	}
	if s.config.Scope == scopeAccount {
		info.OtherAccount = "; if only the user changed and the account is the same, set account: same"
	}
	return info
}

// fingerprint identifies the account: provider, host, scope and the JWT's user or, if the JWT
// doesn't name one, the app. It leaves out the port, which may change although the account is the
// same. A user's id is personal, and a fingerprint is stored and shown. So it has a short hash of
// the user, which is enough to tell two users apart (guarantee 9).
func (s *source) fingerprint() string {
	who := s.config.ClientID
	if s.creds.user != "" {
		sum := sha256.Sum256([]byte(providerName + " " + s.creds.user))
		who = "user-" + hex.EncodeToString(sum[:4])
	}
	return strings.ToLower(strings.Join([]string{providerName, s.base.Hostname(), s.config.Scope, who}, " "))
}

// close ends the session, if there is one, within a time limit.
func (s *source) close() {
	if token := s.tokens.Take(); token != "" {
		if err := s.creds.revoke(token); err != nil {
			s.settings.Logger.Info("can't end the session; RingCentral ends it when its token expires", "err", err)
		}
	}
	s.client.Close()
	s.medium.Close()
	s.creds.client.Close()
}
