package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Served records, read the plain way.
type (
	servedRecord struct {
		ID               string
		Version          int64
		Type             string
		Start            time.Time `json:"startDateTime"`
		End              time.Time `json:"endDateTime"`
		Modified         time.Time `json:"lastModifiedDateTime"`
		Sessions         []servedSession
		MoreSessions     string              `json:"sessions@odata.nextLink"`
		Participants     []servedParticipant `json:"participants_v2"`
		MoreParticipants string              `json:"participants_v2@odata.nextLink"`
	}
	servedParticipant struct {
		ID       string
		Identity map[string]any
	}
	servedSession struct {
		ID             string
		Modalities     []string
		Caller, Callee *servedEnd
		Failure        *struct{ Stage, Reason string } `json:"failureInfo"`
		Segments       []servedSegment
		MoreSegments   string `json:"segments@odata.nextLink"`
	}
	servedEnd struct {
		Agent    *struct{ Platform, Role, ProductFamily string } `json:"userAgent"`
		Identity *struct{ Phone *struct{ ID string } }
		Feedback *struct{ Rating string }
	}
	servedSegment struct {
		ID    string
		Media []servedMedium
	}
	servedMedium struct {
		Label         string
		CallerNetwork *struct{ ConnectionType string }
		CalleeNetwork *struct{ ConnectionType string }
		Streams       []servedStream
	}
	servedStream struct {
		Direction string   `json:"streamDirection"`
		Jitter    *string  `json:"averageJitter"`
		RoundTrip *string  `json:"averageRoundTripTime"`
		Loss      *float64 `json:"averagePacketLossRate"`
		Concealed *float64 `json:"averageRatioOfConcealedSamples"`
		FrameLoss *float64 `json:"averageVideoFrameLossPercentage"`
		FrameRate *float64 `json:"averageVideoFrameRate"`
		LossLeft  *float64 `json:"postForwardErrorCorrectionPacketLossRate"`
		Packets   *int64   `json:"packetUtilization"`
		Bypass    *bool    `json:"wasMediaBypassed"`
	}
)

// recordWorld is a world of calls with records of the day, changed.
func recordWorld(t testing.TB, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	s := HistoricalCalls(7, begin, begin.Add(24*time.Hour), calls)
	if change != nil {
		change(&s)
	}
	w, err := simulator.NewWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newRecords(t testing.TB, s CallRecordSettings) *CallRecords {
	t.Helper()
	r, err := NewCallRecords(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// only is a mix of the kinds that a function chooses.
func only(choose func(*simulator.Kind, *shape) bool) func(*simulator.Settings) {
	return func(s *simulator.Settings) {
		mix := *s.Mix
		mix.Kinds = slices.DeleteFunc(slices.Clone(mix.Kinds), func(k simulator.Kind) bool { return !choose(&k, k.Detail.(*shape)) })
		s.Mix = &mix
	}
}

// startRecords starts a server of records without limits, at an instant.
func startRecords(t testing.TB, r *CallRecords, at time.Time, change func(*Settings)) (*Server, *client, *simulator.ManualClock) {
	t.Helper()
	clock := simulator.NewManualClock(at)
	s := Settings{CallRecords: r, Clock: clock, FirstPages: -1, NextPages: -1, Delivery: Delivery{Every: -1}}
	if change != nil {
		change(&s)
	}
	server, c := start(t, s)
	return server, c, clock
}

const recordsURI = "/v1.0/communications/callRecords"

// filtered is the list of a range of starts.
func filtered(from, to time.Time) string {
	text := "startDateTime ge " + from.Format(time.RFC3339Nano) + " and startDateTime lt " + to.Format(time.RFC3339Nano)
	return recordsURI + "?$filter=" + url.PathEscape(text)
}

// decode gets an address, which must work, and reads its JSON.
func (c *client) decode(address string, into any) {
	c.t.Helper()
	response, body := c.send(http.MethodGet, address, nil)
	if response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %s", address, response.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		c.t.Fatalf("%s: %v in %s", address, err, body)
	}
}

// pages follows next links, and gives all entries and the sizes of the pages.
func follow[T any](c *client, address string) (all []T, sizes []int) {
	c.t.Helper()
	for address != "" {
		var page struct {
			Value []T
			Next  string `json:"@odata.nextLink"`
		}
		c.decode(address, &page)
		all, sizes = append(all, page.Value...), append(sizes, len(page.Value))
		address = page.Next
	}
	return all, sizes
}

// list reads the whole list.
func (c *client) list(from, to time.Time) []servedRecord {
	c.t.Helper()
	all, _ := follow[servedRecord](c, c.server.GraphURL()+filtered(from, to))
	return all
}

// record reads one record whole; nil if it isn't found.
func (c *client) record(id string) *servedRecord {
	c.t.Helper()
	address := c.server.GraphURL() + recordsURI + "/" + id + "?$expand=sessions($expand=segments),participants_v2"
	response, body := c.send(http.MethodGet, address, nil)
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	var r servedRecord
	if err := json.Unmarshal(body, &r); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %v", id, response.StatusCode, err)
	}
	if r.MoreSessions != "" {
		more, _ := follow[servedSession](c, r.MoreSessions)
		r.Sessions = append(r.Sessions, more...)
	}
	for i := range r.Sessions {
		if link := r.Sessions[i].MoreSegments; link != "" {
			more, _ := follow[servedSegment](c, link)
			r.Sessions[i].Segments = append(r.Sessions[i].Segments, more...)
		}
	}
	if r.MoreParticipants != "" {
		more, _ := follow[servedParticipant](c, r.MoreParticipants)
		r.Participants = append(r.Participants, more...)
	}
	return &r
}

// phone is the number of an end that is a telephone.
func (e *servedEnd) phone() string {
	if e == nil || e.Identity == nil || e.Identity.Phone == nil {
		return ""
	}
	return e.Identity.Phone.ID
}
