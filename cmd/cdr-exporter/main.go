// Command cdr-exporter reads call detail records from telephony providers and counts every call
// exactly once. It presents the result as Prometheus metrics, and as OTLP metrics, log records and
// traces.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // for images and machines without time zones

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

// The exit codes (docs/operations.md).
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are the outputs of a command; logs go to errors.
type streams struct{ out, errors io.Writer }

// command runs a subcommand whose flags were parsed.
type command = func(ctx context.Context, s streams) error

// usageError is a wrong value of a flag, found after the command line was parsed: exit code 2.
type usageError struct{ error }

// errSilent is the error of a command that has already printed its problems.
var errSilent = errors.New("failed")

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // half of Go's default: memory matters more to users than a few collections
	}
	hideUnasked()
	signal.Ignore(syscall.SIGPIPE) // a command whose reader has gone still removes its temporary files
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run parses the arguments, runs the command and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	cli, commands := newCLI(s, args)
	exit := -1
	cli.Terminate(func(code int) { exit = code }) // for --help and --version
	name, err := cli.Parse(withDashes(args))
	switch {
	case exit >= 0:
		return exit
	case err != nil:
		fmt.Fprintf(s.errors, "cdr-exporter: %v; try --help\n", err)
		return exitUsage
	}
	err = commands[name](ctx, s)
	switch {
	case err == nil:
		return exitDone
	case !errors.Is(err, errSilent):
		fmt.Fprintf(s.errors, "cdr-exporter: %v\n", err)
	}
	if _, usage := errors.AsType[usageError](err); usage {
		return exitUsage
	}
	return exitFailed
}

var lacksValue = regexp.MustCompile(`^--[^=]+$`)

// withDashes joins a lone - to the flag before it, as in `--output -`: kingpin takes it for a flag without a name. A
// flag that has its value, as in `--output=a -`, stays as it is.
func withDashes(args []string) (joined []string) {
	for i, arg := range args {
		if arg == "-" && i > 0 && lacksValue.MatchString(args[i-1]) {
			joined[len(joined)-1] += "=-"
		} else {
			joined = append(joined, arg)
		}
	}
	return joined
}

// unread is an output whose reader may leave, as in `--help | head`: kingpin panics if it can't write.
type unread struct{ io.Writer }

func (u unread) Write(text []byte) (int, error) {
	_, _ = u.Writer.Write(text)
	return len(text), nil
}

// newCLI defines every command, for these arguments. `run` is the default.
func newCLI(s streams, args []string) (*kingpin.Application, map[string]command) {
	cli := kingpin.New("cdr-exporter", "Counts every call exactly once, from the call detail records of "+
		"Microsoft Teams, RingCentral, Wavix, Twilio, Zoom, Webex, Asterisk, FreeSWITCH, Kamailio, Cisco CUCM, "+
		"and of any other system that a file describes.")
	cli.UsageWriter(unread{s.out}).ErrorWriter(s.errors)
	cli.Version(version.Print("cdr_exporter"))
	cli.HelpFlag.Short('h')
	commands := make(map[string]command)
	add := func(c *kingpin.CmdClause, define func(*kingpin.CmdClause) command) {
		commands[c.FullCommand()] = define(c)
	}
	add(cli.Command("run", "Run the exporter.").Default(), newRun)
	add(cli.Command("demo", "Run the exporter against simulated providers, without configuration or network."), newDemo)
	add(cli.Command("init", "Write a configuration from answers or flags, and check it."),
		func(c *kingpin.CmdClause) command { return newInit(c, args) })
	check := cli.Command("check", "Check configuration files or sources.")
	add(check.Command("config", "Validate configuration files, without network access."), newCheckConfig)
	add(check.Command("sources", "Authenticate with every source and read the smallest page of every feed."),
		newCheckSources)
	add(cli.Command("records", "Print the call records of a feed, redacted as configured, without counting them."),
		newRecords)
	add(cli.Command("call", "Look up a Teams call record by its id and print all its parts, redacted as configured."),
		newCall)
	add(cli.Command("report", "Sum calls, minutes and charges of a range by trunk, country, month and more, "+
		"from the provider's current records."), newReport)
	add(cli.Command("backfill", "Write history by the start of calls as OpenMetrics, from which promtool "+
		"creates blocks."), newBackfill)
	add(cli.Command("match", "Compare two lists (books) of the same calls that share no ids, such as a source's calls "+
		"and a carrier's bill."), newMatch)
	add(cli.Command("explain", "List the records that make a number of a counter or histogram, and prove their sum."),
		newExplain)
	add(cli.Command("audit", "Compare the records that providers list with those that the ledger has counted, "+
		"also while the exporter runs."), newAudit)
	state := cli.Command("ledger", "Inspect, verify, compact or copy the ledger.")
	add(state.Command("show", "Print the ledger's content: feeds, positions, ids, sizes, calls that wait, "+
		"tasks, and what was set aside and why."), ledgerReader(showLedger))
	add(state.Command("verify", "Verify the ledger's consistency, also while the exporter runs."),
		ledgerReader(verifyLedger))
	add(state.Command("compact", "Return free space to the disk, while the exporter doesn't run."),
		ledgerCommand(compactLedger))
	add(state.Command("copy", "Copy a ledger to empty storage, such as from a folder to PostgreSQL, while no "+
		"exporter runs."), newLedgerCopy)
	provider := cli.Command("provider", "List providers, show their definitions, and try and test a definition.")
	add(provider.Command("list", "List every provider, its feeds, and what its records contain."), newProviderList)
	add(provider.Command("show", "Print a built-in definition, to copy it."), newProviderShow)
	add(provider.Command("try",
		"Read saved rows through a definition, without a network, and print the result of each."), newProviderTry)
	add(provider.Command("test", "Play the laws of counting on a definition, with a provider made from its "+
		"tests, without a network."), newProviderTest)
	add(cli.Command("healthcheck", "Exit 0 if the exporter on the listen address is healthy, for images "+
		"without a shell."), newHealthcheck)
	add(cli.Command("incident", "Print the failures on a trunk in a range of time, for a ticket to the "+
		"carrier: when, how often, whose fault, a sample."), newIncident)
	add(cli.Command("assets", "Write the bundled dashboards, rules and runbooks to a folder."), newAssets)
	add(cli.Command("version", "Print the version."), newVersion)
	return cli, commands
}
