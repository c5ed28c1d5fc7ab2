package main_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// stage is what a script has beside its files: a tenant, and what must appear nowhere.
type stage struct {
	*sim.Server
	vault *vault
}

// stageKey finds the stage of a script.
type stageKey struct{}

// TestScripts runs the scripts in testdata/script. They have the commands
//
//	exits CODE ARGS...  runs the binary and expects its exit code
//	tenant VERB ARGS... changes the tenant (see tenantCommand)
//
// and the tenant's addresses and ids in the environment: configurations can use ${env:TENANT}. All
// output of the binary is searched for secrets.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(e *testscript.Env) error { return setStage(t, e) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exitsCommand, "tenant": tenantCommand,
		},
	})
}

// setStage starts a tenant for a script.
func setStage(t *testing.T, e *testscript.Env) error {
	w := simulator.NewWorld(past(99, sim.PSTNMix(), 200))
	server, err := sim.Start(sim.Settings{PSTN: w, ClientSecret: "hush~script~hush"})
	if err != nil {
		return err
	}
	e.Defer(server.Close)
	s := &stage{server, newVault(t)}
	s.vault.hidePeople(w.Mix())
	s.vault.hide("the client secret", server.ClientSecret)
	s.vault.hide("the wrong secret", "wrong~hush~wrong")
	e.Values[stageKey{}] = s
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"REPOSITORY": repository,
		"LOGIN":      server.BaseURL(), "GRAPH": server.BaseURL(), "TENANT": sim.TenantID, "CLIENT": sim.ClientID,
		"SECRET": server.ClientSecret, "CDR_LEDGER_VERIFY": "1", "GORACE": raceOptions,
	} {
		e.Setenv(name, value)
	}
	return server.WriteCA(filepath.Join(e.WorkDir, "ca.pem"))
}

// exitsCommand runs the binary and expects its exit code.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(binary(), args[1:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run the binary: %v", err)
		}
		got = exit.ExitCode()
	}
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok {
		ts.Fatalf("the script has no stage")
	}
	for _, stream := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(stream)
		s.vault.search(ts.Name()+" "+stream, []byte(text))
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// tenantCommand changes the tenant.
//
//	tenant asked N      expects N requests since the beginning
//	tenant forbid       removes the permission; allow restores it
//	tenant expire       lets the client secret expire
func tenantCommand(ts *testscript.TestScript, neg bool, args []string) {
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok || neg || len(args) == 0 {
		ts.Fatalf("usage: tenant VERB ARGS...")
	}
	switch args[0] {
	case "asked":
		want, err := strconv.Atoi(args[1])
		ts.Check(err)
		if got := s.Requests().Count("")[0]; got != want {
			ts.Fatalf("%d requests came, want %d", got, want)
		}
	case "forbid":
		s.Register(func(a *sim.Application) { a.Roles = nil })
	case "allow":
		s.Register(func(a *sim.Application) { a.Roles = []string{sim.Role} })
	case "expire":
		s.Register(func(a *sim.Application) { a.SecretExpired = true })
	default:
		ts.Fatalf("unknown: tenant %s", args[0])
	}
}
