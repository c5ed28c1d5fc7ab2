// Command cdr-exporter reads call detail records from telephony providers,
// counts every call exactly once, and presents the result as Prometheus metrics
// and as OTLP metrics and log records.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

// The exit codes (contract 1).
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are where a command writes; logs go to errors.
type streams struct{ out, errors io.Writer }

// command is one subcommand: its flags were parsed.
type command interface {
	run(ctx context.Context, s streams) error
}

// errSilent ends a command with exit code 1 whose problems were printed already.
var errSilent = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run parses the arguments, runs the command and says how the process ends.
func run(ctx context.Context, args []string, s streams) int {
	cli, commands := newCLI(s)
	exit := -1
	cli.Terminate(func(code int) { exit = code }) // --help and --version
	name, err := cli.Parse(args)
	switch {
	case exit >= 0:
		return exit
	case err != nil:
		fmt.Fprintf(s.errors, "cdr-exporter: %v; try --help\n", err)
		return exitUsage
	}
	err = commands[name].run(ctx, s)
	switch {
	case err == nil:
		return exitDone
	case !errors.Is(err, errSilent):
		fmt.Fprintf(s.errors, "cdr-exporter: %v\n", err)
	}
	return exitFailed
}

// newCLI defines every command. `run` is the one without a name.
func newCLI(s streams) (*kingpin.Application, map[string]command) {
	cli := kingpin.New("cdr-exporter", "Counts every call of Microsoft Teams, RingCentral and Wavix, once, from call detail records.")
	cli.UsageWriter(s.out).ErrorWriter(s.errors)
	cli.Version(version.Print("cdr_exporter"))
	cli.HelpFlag.Short('h')
	commands := make(map[string]command)
	add := func(parent interface {
		Command(name, help string) *kingpin.CmdClause
	}, name, help string, define func(*kingpin.CmdClause) command,
	) *kingpin.CmdClause {
		clause := parent.Command(name, help)
		if define != nil {
			commands[clause.FullCommand()] = define(clause)
		}
		return clause
	}
	add(cli, "run", "Run the exporter.", newRun).Default()
	add(cli, "demo", "Run it against simulated providers: no configuration, no network.", newDemo)
	check := add(cli, "check", "Check a configuration, or what its sources answer.", nil)
	add(check, "config", "Check configuration files; nothing is asked of the network.", newCheckConfig)
	add(check, "sources", "Authenticate every source and read the smallest page from every feed.", newCheckSources)
	add(cli, "records", "Print call records of a feed, redacted as configured, without counting them.", newRecords)
	add(cli, "call", "Look one call record of Teams up by its id, with all its parts, redacted as configured.", newCall)
	add(cli, "backfill", "Write history by when calls began, as OpenMetrics that promtool makes blocks of.", newBackfill)
	add(cli, "assets", "Write the bundled dashboards and rules into a folder.", newAssets)
	add(cli, "version", "Print the version.", newVersion)
	return cli, commands
}
