package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// server serves the drawn pages to Chromium.
type server struct {
	base string
	http http.Server
}

// serve serves pages by their paths until it is closed.
func serve(ctx context.Context, pages map[string][]byte) (*server, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the pages: %w", err)
	}
	s := &server{base: "http://" + l.Addr().String() + "/"}
	s.http = http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(pages[r.URL.Path]) //nolint:errcheck // A browser that is gone needs nothing.
	})}
	go s.http.Serve(l) //nolint:errcheck // It ends when it is closed.
	return s, nil
}

func (s *server) close() { s.http.Close() } //nolint:errcheck // Nobody reads any more.

// shot is a picture to be taken.
type shot struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Scheme  string `json:"scheme"`
	// Until is the title of the row where the picture ends.
	Until string `json:"until,omitempty"`
}

// browser is Chromium and what drives it.
type browser struct{ script, packages, chromium string }

// findBrowser finds what make installs, and Chromium.
func findBrowser() (*browser, error) {
	b := &browser{script: filepath.Join("tools", "pictures", "shoot.mjs"), packages: os.Getenv("CDR_BROWSER")}
	if b.packages == "" {
		b.packages = filepath.Join(".tools", "browser")
	}
	var err error
	if b.packages, err = filepath.Abs(b.packages); err != nil {
		return nil, err
	}
	for _, file := range []string{b.script, filepath.Join(b.packages, "package.json")} {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("run `make pictures` in the repository's root: %w", err)
		}
	}
	for _, name := range []string{os.Getenv("CDR_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if b.chromium, err = exec.LookPath(name); name != "" && err == nil {
			return b, nil
		}
	}
	return nil, errors.New("the browser Chromium is needed: apt-get install chromium, or say where it is in CDR_CHROMIUM")
}

// take takes the pictures into a folder, each with a palette.
func (b *browser) take(ctx context.Context, out io.Writer, folder string, shots []shot) error {
	text, err := json.Marshal(shots)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "cdr-exporter-shots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // A temporary folder; the system clears it too.
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errors.New("no pictures after three minutes"))
	defer cancel()
	command := exec.CommandContext(ctx, "node", b.script, temporary, string(text))
	command.Env = append(os.Environ(), "CDR_BROWSER="+b.packages, "CDR_CHROMIUM="+b.chromium)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("take the pictures: %w, %w\n%s", err, context.Cause(ctx), said)
	}
	for _, s := range shots {
		if err := keep(out, filepath.Join(temporary, s.Name+".png"), filepath.Join(folder, s.Name+".png")); err != nil {
			return err
		}
	}
	return nil
}

// maxSize is what a picture of README may have, in bytes.
const maxSize = 300_000

// keep writes a picture small.
func keep(out io.Writer, from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	small, err := shrink(raw, maxSize)
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	fmt.Fprintf(out, "%s: %d kB\n", to, len(small)/1000)
	return os.WriteFile(to, small, 0o644)
}
