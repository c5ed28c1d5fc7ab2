package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Microsoft Graph, its application permission CallRecords.Read.All, as in Microsoft's reference of permissions.
var graphIDs = []string{"00000003-0000-0000-c000-000000000000", "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8"}

var anyGUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// TestEntraAsksForOnePermission: each way to register the app names Graph and the one permission, and no other. No tenant is there to run them
// against, and no PowerShell to parse its script: Terraform's file is parsed, and the shell's by bash.
func TestEntraAsksForOnePermission(t *testing.T) {
	folder := filepath.Join("..", "deploy", "entra")
	for _, name := range []string{"main.tf", "register.sh", "Register-CdrExporter.ps1"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		got := anyGUID.FindAllString(string(text), -1)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), graphIDs) {
			t.Errorf("%s names %v, want %v", name, got, graphIDs)
		}
		if name == "main.tf" {
			if _, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos); problems.HasErrors() {
				t.Error(problems)
			}
		}
	}
	if output, err := exec.CommandContext(t.Context(), "bash", "-n", filepath.Join(folder, "register.sh")).CombinedOutput(); err != nil {
		t.Errorf("register.sh: %v\n%s", err, output)
	}
}
