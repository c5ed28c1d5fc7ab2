package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Errors end a read and are returned as they are; nothing follows them.
func TestDriver_Errors(t *testing.T) {
	full := errors.New("the disk is full")
	for _, test := range []struct {
		name    string
		reader  error // after the second page
		commit  error // of the first page
		cancel  bool  // at the first page
		want    error
		commits int
	}{
		{"none", nil, nil, false, nil, 2},
		{"of the reader", errProvider, nil, false, errProvider, 2},
		{"of the commit", nil, full, false, full, 1},
		{"the context ends", nil, nil, true, context.Canceled, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			commits := 0
			d := Driver{
				Reader: readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
					for range 2 {
						if err := emit(&Page{}); err != nil {
							return err
						}
					}
					return test.reader
				}),
				Commit: func(context.Context, *Page) error {
					if commits++; test.cancel {
						cancel()
					}
					return test.commit
				},
			}
			//nolint:errorlint // it is returned as it is
			if err := d.Read(ctx, time.Now(), time.Now()); err != test.want || commits != test.commits {
				t.Errorf("error %v after %d commits, want %v after %d", err, commits, test.want, test.commits)
			}
		})
	}
}

// counting.md 18: twins are numbered over all pages of a read, and from the beginning in the next read.
func TestRule18_TwinsAreNumberedOverTheRead(t *testing.T) {
	var numbers []int
	d := Driver{
		Reader: readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
			record := &cdr.Record{}
			for range 3 {
				*record = cdr.Record{Synthetic: "a"}
				if err := emit(&Page{Records: []*cdr.Record{record, {ID: "1"}}}); err != nil {
					return err
				}
			}
			return nil
		}),
		Commit: func(_ context.Context, page *Page) error {
			numbers = append(numbers, page.Records[0].Twin)
			return nil
		},
	}
	for range 2 {
		require.NoError(t, d.Read(t.Context(), time.Now(), time.Now()))
	}
	if want := []int{0, 1, 2, 0, 1, 2}; !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
}

// fetcherFunc fetches three at once.
type fetcherFunc func(key string) (*Page, error)

func (f fetcherFunc) Fetch(_ context.Context, tasks []work.Item) (*Page, error) {
	return f(tasks[0].Key)
}
func (fetcherFunc) Parallel() int { return 3 }

// naming is a driver over a list, each page of which names records. handed are the ids of those that were fetched.
func naming(fetch func(key string) (*Page, error), end func() error, list ...string) (d *Driver, handed *[]string) {
	handed = new([]string)
	return &Driver{
		Reader: readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
			for _, keys := range list {
				page := &Page{}
				for key := range strings.FieldsSeq(keys) {
					page.Enqueue = append(page.Enqueue, work.Item{Kind: work.Record, Key: key, Version: 1})
				}
				if err := emit(page); err != nil {
					return err
				}
			}
			return end()
		}),
		Fetcher: fetcherFunc(fetch),
		Commit: func(_ context.Context, page *Page) error {
			for _, r := range page.Records {
				*handed = append(*handed, r.ID)
			}
			return nil
		},
	}, handed
}

// Records that a list names are fetched after the list was read, each version once, and handed on in
// the order of the list.
func TestDriver_FetchesWhatIsNamed(t *testing.T) {
	var missing []string
	d, handed := naming(func(key string) (*Page, error) {
		switch key {
		case "young":
			return nil, fmt.Errorf("%w: 404", ErrNotYet)
		case "gone":
			return nil, fmt.Errorf("%w: 410", ErrGone)
		}
		return &Page{Records: []*cdr.Record{{ID: key}}}, nil
	}, func() error { return nil }, "a b young c", "d a gone")
	d.Missing = func(task work.Item, err error) { missing = append(missing, task.Key) }
	for range 2 { // the second time nothing is new
		require.NoError(t, d.Read(t.Context(), time.Now(), time.Now()))
	}
	if fmt.Sprint(*handed, missing, d.Named()) != "[a b c d] [young gone] 6" {
		t.Errorf("handed on %v, missing %v, named %d", *handed, missing, d.Named())
	}
}

// TestDriver_FetchesAfterAFailure: a read that fails, in its list or in a fetch, leaves what was named to the next
// read. `match` tries a piece again with the same driver.
func TestDriver_FetchesAfterAFailure(t *testing.T) {
	for _, broken := range []string{"list", "b"} {
		t.Run(broken, func(t *testing.T) {
			failed := errProvider // of the first read
			fail := func(what string) error {
				if what == broken {
					return failed
				}
				return nil
			}
			d, handed := naming(func(key string) (*Page, error) {
				return &Page{Records: []*cdr.Record{{ID: key}}}, fail(key)
			}, func() error { return fail("list") }, "a", "b", "c", "d")
			if err := d.Read(t.Context(), time.Now(), time.Now()); !errors.Is(err, errProvider) {
				t.Errorf("error %v", err)
			}
			failed = nil
			require.NoError(t, d.Read(t.Context(), time.Now(), time.Now()))
			if want := []string{"a", "b", "c", "d"}; !slices.Equal(*handed, want) {
				t.Errorf("handed on %v, want %v", *handed, want)
			}
		})
	}
}

// The driver reads whole seconds, in UTC, that contain the span.
func TestDriver_RoundsOutward(t *testing.T) {
	whole := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	from, to := whole.Add(time.Nanosecond).In(time.FixedZone("", 7200)), whole.Add(time.Minute+time.Nanosecond)
	asked := 0
	reader := readerFunc(func(gotFrom, gotTo time.Time, _ func(*Page) error) error {
		asked++
		if span := gotFrom.Format(time.RFC3339Nano) + "/" +
			gotTo.Format(time.RFC3339Nano); span != "2026-11-01T00:00:00Z/2026-11-01T00:01:01Z" {
			t.Errorf("asked for %s", span)
		}
		return nil
	})
	if err := (&Driver{Reader: reader}).Read(t.Context(), from, to); err != nil {
		t.Error(err)
	}
	if _, err := Probe(reader, func() time.Time { return to })(t.Context()); err != nil || asked != 2 {
		t.Errorf("asked %d times, error %v", asked, err)
	}
}

// A probe reads no more than the first page.
func TestProbe(t *testing.T) {
	pages := 0
	rows, err := Probe(readerFunc(func(_, _ time.Time, emit func(*Page) error) error {
		for {
			pages++
			if err := emit(&Page{Records: []*cdr.Record{{ID: "1"}}, Invalid: []BadRow{{}}}); err != nil {
				return err
			}
		}
	}), time.Now)(t.Context())
	if rows != 2 || err != nil || pages != 1 {
		t.Errorf("%d rows of %d pages, error %v", rows, pages, err)
	}
	if _, err := Probe(readerFunc(func(_, _ time.Time, _ func(*Page) error) error { return errProvider }),
		time.Now)(t.Context()); !errors.Is(err, errProvider) {
		t.Errorf("error %v", err)
	}
}
