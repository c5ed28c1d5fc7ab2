package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// prompter asks questions in plain lines, which work over every connection and with a screen
// reader. It uses the standard error, because the standard output may be the configuration. It
// keeps the first error; later questions then return at once.
type prompter struct {
	ctx context.Context //nolint:containedctx // of the only command that asks
	in  *bufio.Reader
	out io.Writer
	fd  int
	err error
}

func newPrompter(ctx context.Context, out io.Writer) *prompter {
	return &prompter{ctx: ctx, in: bufio.NewReader(os.Stdin), out: out, fd: int(os.Stdin.Fd())}
}

// line asks for a line; an empty answer means the preset.
func (p *prompter) line(question, preset string) string {
	if preset != "" {
		question += " [" + preset + "]"
	}
	if answer := p.read(question, false, func() (string, error) { return p.in.ReadString('\n') }); answer != "" {
		return answer
	}
	return preset
}

// hidden asks for a line that isn't shown. It asks once the terminal hides what is typed.
func (p *prompter) hidden(question string) string {
	return p.read(question, true, func() (string, error) {
		text, err := term.ReadPassword(p.fd)
		fmt.Fprintln(p.out)
		return string(text), err
	})
}

// mostHiding is how long the terminal may take to hide what is typed. A terminal that hid it before stays as it is.
const mostHiding = time.Second

// waitUntilChanged waits until the terminal is no longer in a state, or something is done.
func (p *prompter) waitUntilChanged(from *term.State, done <-chan struct{}) {
	look, most := time.NewTicker(time.Millisecond), time.After(mostHiding)
	defer look.Stop()
	for {
		select {
		case <-done:
			return
		case <-most:
			return
		case <-look.C:
		}
		if now, err := term.GetState(p.fd); err != nil || *now != *from {
			return
		}
	}
}

// choose asks for one of several words; the first is the preset.
func (p *prompter) choose(question string, words ...string) string {
	for p.err == nil {
		if answer := p.line(question+" ("+strings.Join(words, ", ")+")", words[0]); slices.Contains(words, answer) {
			return answer
		}
		fmt.Fprintln(p.out, "  enter one of the words in parentheses")
	}
	return words[0]
}

// read returns an answer, or nothing if the command is interrupted; it then restores the terminal.
func (p *prompter) read(question string, hidden bool, read func() (string, error)) string {
	if p.err != nil {
		return ""
	}
	state, err := term.GetState(p.fd)
	if err != nil {
		p.err = fmt.Errorf("ask on the terminal: %w", err)
		return ""
	}
	var answer string
	done := make(chan struct{})
	go func() {
		answer, err = read()
		close(done)
	}()
	if hidden {
		p.waitUntilChanged(state, done)
	}
	fmt.Fprintf(p.out, "%s: ", question)
	select {
	case <-done:
		if err != nil {
			p.err = errors.New("the input ended before the last answer; nothing was written")
		}
		return strings.TrimSpace(answer)
	case <-p.ctx.Done():
		p.err = errors.Join(errors.New("interrupted; nothing was written"), term.Restore(p.fd, state))
		return ""
	}
}

// ask asks for the values that no flag set.
func (i *initCommand) ask(p *prompter) error {
	i.provider = p.choose("Provider of the account", providerNames()...)
	fmt.Fprintf(p.out, "Where to find the values: %s\n", page(i.provider))
	i.until(p, "name", &i.name, func() string {
		return p.line("Name of the account, the label `source` of its metrics", i.provider)
	})
	block := i.chosen().NewConfig()
	settings := config.Settings(block)
	var excluded []string // kinds of credentials that the user didn't choose
	for _, kinds := range config.RulesOf(reflect.TypeOf(block).Elem()).ExactlyOne {
		for _, s := range settings {
			if kind := strings.TrimSuffix(s.Key, "_file"); slices.Contains(kinds, kind) {
				fmt.Fprintf(p.out, "  %s: %s\n", kind, s.Ask)
			}
		}
		i.credential = p.choose("Credential", kinds...)
		excluded = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == i.credential })
	}
	for _, s := range settings {
		// A key that begins with the name of a kind belongs to it.
		belongs := func(kind string) bool { return strings.HasPrefix(s.Key, kind+"_") }
		if s.Ask == "" || s.Block || slices.ContainsFunc(excluded, belongs) {
			continue
		}
		i.until(p, s.Key, i.values[s.Key], func() string {
			if s.Secret {
				return i.secret(p, s)
			}
			if s.List && !s.OneWillDo {
				return p.line(s.Ask+", separated by commas", "")
			}
			return p.line(s.Ask, "")
		})
	}
	for i.feeds == "" && p.err == nil {
		var feeds []string
		for _, s := range settings {
			if isFeed(i.chosen(), s) && !s.NeedsKeys() && p.choose("Read "+s.Key+": "+s.Ask, "yes", "no") == "yes" {
				feeds = append(feeds, s.Key)
			}
		}
		i.feeds = strings.Join(feeds, ",")
	}
	i.until(p, "endpoint", &i.endpoint, func() string {
		return p.line("OpenTelemetry endpoint for metrics and call records, such as http://127.0.0.1:4318; "+
			"empty for none", "")
	})
	return p.err
}

// until repeats a question until its answer is valid. It skips the question if a flag set the
// value.
func (i *initCommand) until(p *prompter, key string, to *string, question func() string) {
	for *to == "" && p.err == nil {
		*to = question()
		problems := i.problems()
		n := slices.IndexFunc(problems, func(problem config.Problem) bool {
			last := lastKey(problem.Path)
			return last == key || last+"_file" == key
		})
		if n < 0 {
			return
		}
		fmt.Fprintf(p.out, "  %s\n", problems[n].Message)
		*to = ""
		delete(i.typed, key)
	}
}

// secret asks for the file of a secret, or for the secret itself, whose file is written at the end.
// It returns the file's name.
func (i *initCommand) secret(p *prompter, s config.Setting) string {
	name := i.name + "-" + strings.ReplaceAll(strings.TrimSuffix(s.Key, "_file"), "_", "-") + ".txt"
	file, preset := filepath.Join(filepath.Dir(i.output), name), ""
	if _, err := os.Stat(file); err == nil {
		preset = file
	}
	if given := p.line(s.Ask+". File that contains it; empty to type it", preset); given != "" {
		return given
	}
	typed := p.hidden("  It isn't shown")
	if typed == "" { // it may be optional
		return ""
	}
	i.typed[s.Key] = typed
	return file
}
