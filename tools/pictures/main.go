package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// shown is the time that the pictures show; warmUp is what is read before: the history
// of the demo, which would be a peak, and what the first rates are made of. The pictures
// end with a full minute.
const (
	shown  = 6 * time.Minute
	warmUp = 3 * time.Minute
)

// settings say where everything is.
type settings struct {
	folder string
	// exporter and prometheus are addresses such as http://127.0.0.1:9887/ of what
	// already runs; without them they are started.
	exporter, prometheus string
	out                  io.Writer
}

func main() {
	s := settings{out: os.Stdout}
	flag.StringVar(&s.folder, "output", filepath.Join("docs", "images"), "folder for the pictures")
	flag.StringVar(&s.exporter, "exporter", "", "address of a demo that runs, such as http://127.0.0.1:9887/; one is started if it isn't given")
	flag.StringVar(&s.prometheus, "prometheus", "", "address of a Prometheus that scrapes it, such as http://127.0.0.1:9090/")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		stop()
		os.Exit(1)
	}
}

// run makes all pictures. Whatever it starts ends with it.
func (s *settings) run(ctx context.Context) error {
	if (s.exporter == "") != (s.prometheus == "") {
		return fmt.Errorf("give -exporter and -prometheus, or none of them")
	}
	boards, err := readBoards()
	if err != nil {
		return err
	}
	browser, err := findBrowser()
	if err != nil {
		return err
	}
	if s.exporter == "" {
		family, ended := newFamily(ctx)
		defer family.end()
		if err := s.start(ended, family); err != nil {
			return err
		}
		ctx = ended
	}
	return s.take(ctx, browser, boards)
}

// take draws the dashboards and takes the pictures.
func (s *settings) take(ctx context.Context, browser *browser, boards []board) error {
	asked := &asker{base: s.prometheus, now: time.Now().Truncate(time.Minute), shown: shown}
	pages := map[string][]byte{}
	for i := range boards {
		page, err := boards[i].page(ctx, asked)
		if err != nil {
			return err
		}
		pages["/"+boards[i].name] = page
	}
	server, err := serve(ctx, pages)
	if err != nil {
		return err
	}
	defer server.close()
	return browser.take(ctx, s.out, s.folder, s.shots(server.base, boards))
}

// shots are the pictures.
func (s *settings) shots(base string, boards []board) []shot {
	shots := []shot{
		{Name: "status-light", Address: s.exporter, Scheme: "light"},
		{Name: "status-dark", Address: s.exporter, Scheme: "dark"},
	}
	for i := range boards {
		shots = append(shots, shot{Name: "dashboard-" + boards[i].name, Address: base + boards[i].name, Scheme: "light"})
	}
	// For README, which is long enough.
	return append(shots, shot{Name: "dashboard-overview-top", Address: base + "overview", Scheme: "light", Until: "Duration and money"})
}
