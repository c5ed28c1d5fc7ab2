package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Microsoft Graph, its application permission CallRecords.Read.All, as in Microsoft's reference of permissions.
var graphIDs = []string{"00000003-0000-0000-c000-000000000000", "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8"}

var anyGUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// TestEntraAsksForOnePermission: each way to register the app names Graph and the one permission,
// and no other. No tenant is there to run them against, and no PowerShell to parse its script:
// Terraform's file is parsed, and the shell's by bash.
func TestEntraAsksForOnePermission(t *testing.T) {
	folder := filepath.Join("..", "deploy", "entra")
	for _, name := range []string{"main.tf", "register.sh", "Register-CdrExporter.ps1"} {
		text := golden.Read(t, filepath.Join(folder, name))
		got := anyGUID.FindAllString(text, -1)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), graphIDs) {
			t.Errorf("%s names %v, want %v", name, got, graphIDs)
		}
		if name == "main.tf" {
			if _, problems := hclsyntax.ParseConfig([]byte(text), name, hcl.InitialPos); problems.HasErrors() {
				t.Error(problems)
			}
		}
	}
	if output, err := exec.CommandContext(t.Context(), "bash", "-n", filepath.Join(folder, "register.sh")).
		CombinedOutput(); err != nil {
		t.Errorf("register.sh: %v\n%s", err, output)
	}
}

// fakeAzure is az with a directory in the folder $STATE. A new object appears there only at the third request for it.
const fakeAzure = `#!/bin/bash
echo "$*" >> "$STATE/asked"
late() { # NAME: not there for the first two times
	echo x >> "$STATE/late-$1"
	[ "$(wc -l < "$STATE/late-$1")" -gt 2 ] || {
		echo "Resource '$1' does not exist or one of its queried reference-property objects are not present." >&2
		exit 1
	}
}
case "$*" in
"ad app list"*) cat "$STATE/app" 2> /dev/null ;;
"ad app create"*) echo app-1 | tee "$STATE/app" ;;
"ad sp list"*) cat "$STATE/principal" 2> /dev/null ;;
"ad sp create"*) late app && echo principal-1 | tee "$STATE/principal" ;;
"ad sp show"*) echo graph-1 ;;
"rest --method POST"*)
	[ -z "$DENIED" ] || { echo "Insufficient privileges to complete the operation." >&2; exit 1; }
	late principal && touch "$STATE/role" ;;
"rest --url"*) [ ! -e "$STATE/role" ] || echo role-1 ;;
"ad app federated-credential list"*) [ ! -e "$STATE/federated" ] || echo federated-1 ;;
"ad app federated-credential create"*) touch "$STATE/federated" ;;
"ad app credential reset"*) echo hush ;;
"ad app credential list"*) echo 2027-11-23T00:00:00Z ;;
"account show"*) echo tenant-1 ;;
esac
exit 0
`

// TestRegister: the shell script waits until the directory shows each new object, a second run makes nothing again,
// and a permanent error ends it at once.
func TestRegister(t *testing.T) {
	script, err := filepath.Abs("../deploy/entra/register.sh")
	require.NoError(t, err)
	bin, state := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"az": fakeAzure, "sleep": "#!/bin/bash\n"} {
		//nolint:gosec // the file must be executable
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700))
	}
	register := func(env string, args ...string) (string, error) {
		c := exec.CommandContext(t.Context(), "bash", append([]string{script}, args...)...)
		c.Dir, c.Env = state, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "STATE="+state, env)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	asked := func(what string) int {
		return strings.Count("\n"+golden.Read(t, filepath.Join(state, "asked")), "\n"+what)
	}
	if out, err := register("DENIED=1", "workload", "https://oidc.example.com", "system"); err == nil ||
		asked("rest --method POST") != 1 || !strings.Contains(out, "Insufficient privileges") {
		t.Fatalf("without the right: %v after %d requests:\n%s", err, asked("rest --method POST"), out)
	}
	for range 2 {
		out, err := register("DENIED=", "workload", "https://oidc.example.com", "system")
		if err != nil || !strings.Contains(out, "cdr-exporter init --provider=msgraph --tenant-id=tenant-1 "+
			"--client-id=app-1 --credential=workload_identity") {
			t.Fatalf("%v:\n%s", err, out)
		}
	}
	if out, err := register("DENIED=", "secret", "secret.txt"); err != nil ||
		!strings.Contains(out, "--client-secret-expires=2027-11-23") {
		t.Fatalf("%v:\n%s", err, out)
	}
	for what, want := range map[string]int{
		"ad app create": 1, "ad sp create": 3, "rest --method POST": 1 + 3, "ad app federated-credential create": 1,
		"ad app credential reset": 1,
	} {
		if got := asked(what); got != want {
			t.Errorf("az %s was called %d times, want %d", what, got, want)
		}
	}
	if text := golden.Read(t, filepath.Join(state, "secret.txt")); text != "hush\n" {
		t.Errorf("the secret's file has %q", text)
	}
}
