package stories

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
)

// Everything has every state and every kind of gap on one page.
func Everything() *Backend { return &Backend{Shown: everything(), OnActivity: RisingActivity} }

// quietTrunk had its last call some days ago.
func quietTrunk() Attempts {
	t := Trunk("", "cccoc")
	t.Direction, t.Newest = cdr.Inbound, 60*time.Hour
	return t
}

// everything has every state and every kind of gap.
func everything() web.Status {
	return web.Status{
		Sources: []web.Source{
			{Name: "contoso", Provider: "msgraph", Subscription: &web.Subscription{
				Feed:    "call_records",
				Expires: Ago(-42 * time.Hour), LastNotification: Ago(time.Minute),
			}, Feeds: []web.Feed{
				{
					Feed: "pstn", State: web.StateOK, Watermark: Ago(6 * time.Minute),
					LastSuccess: Ago(42 * time.Second),
					Records:     1234567, NextRead: Ago(-258 * time.Second), NewestCall: Ago(2 * time.Minute),
					Series: 312,
					Trunks: Counted("contoso", "pstn", Operator("Colt", Good),
						Operator("Telia", Good[:40]+strings.Repeat("o", 24))),
				},
				{
					Feed: "direct_routing", State: web.StateCatchingUp, Watermark: Ago(26*time.Hour + 5*time.Minute),
					LastSuccess: Ago(3500 * time.Millisecond), Records: 98765, NextRead: Ago(0), Series: 1010,
					SeriesOverflow: 56,
					Trunks: Counted("contoso", "direct_routing", Trunk("sbc2.example.com", Good),
						Failing("sbc1.example.com", Bad, 27*time.Hour)),
				},
				{
					Feed: "call_records", State: web.StateOK, Watermark: Ago(time.Minute),
					LastSuccess: Ago(time.Second), Records: 5, NextRead: Ago(-time.Second),
					Waiting: new(1200), SetAside: new(3),
				},
			}},
			{Name: "fabrikam", Provider: "msgraph", Feeds: []web.Feed{
				{
					Feed: "pstn", State: web.StateThrottled, Watermark: Ago(50 * time.Hour),
					LastSuccess: Ago(48 * time.Hour),
					Records:     999, NextRead: Ago(-2 * time.Hour),
					LastError: "429 Too Many Requests",
				},
				{
					Feed: "direct_routing", State: web.StateError,
					LastError: `403 Forbidden: the application lacks <CallRecords.Read.All> & "consent"`,
					Advice: "Grant CallRecords.Read.All as an application permission, then have an " +
						"administrator consent.",
				},
			}},
			{
				Name: "office", Provider: "ringcentral",
				Budget: &web.Budget{
					Group: "heavy", Limit: 10, Remaining: new(3), WindowSeconds: 60,
					FrozenUntil: Ago(-33 * time.Second),
				},
				Feeds: []web.Feed{
					{
						Feed: "call_log", State: web.StateOK, Watermark: Ago(time.Minute),
						LastSuccess: Ago(time.Minute), Records: 12, NextRead: Ago(-time.Second),
						Trunks: Counted("office", "call_log", Failing("", Good[:50]+"cfffccfoccfcof", time.Minute),
							quietTrunk()),
					},
					{
						Feed: "active_calls", State: web.StateOK, Watermark: Ago(30 * time.Second),
						LastSuccess: Ago(30 * time.Second),
						Snapshot:    true, InProgress: new(7),
					},
				},
			},
			{
				Name: "wave", Provider: "wavix", Budget: &web.Budget{Limit: 1200, WindowSeconds: 60},
				Feeds: []web.Feed{{Feed: "call_log", State: web.StateOK, DailyTotals: []daily.Totals{
					{Day: Day(1), Counted: daily.Counted{
						Records: 41203, Late: 12, Revised: 3,
						Charges: cdr.Amounts{"EUR": Money("812.5"), "USD": Money("1")},
						Total: &daily.ProviderTotal{
							Theirs: 41203, Ours: 41203, Charges: new(Money("813")), Currency: "EUR",
						},
					}},
					{Day: Day(2), Counted: daily.Counted{Records: 40000}, Audit: &daily.Audit{
						Source: "wave", Feed: "call_log", Day: Day(2), Whole: true, Began: Now.Add(-time.Hour),
						Listed: 40002, Missing: 2,
					}},
					{Day: Day(3)},
				}}},
			},
		},
		OTLP: web.OTLP{
			OutboxRecords: 12000, Oldest: Ago(90 * time.Minute), State: web.OTLPError,
			LastError: "503 Service Unavailable",
		},
		Ledger: web.Ledger{SizeBytes: 123456789, Series: 1467, SeriesOverflow: 56},
	}
}
