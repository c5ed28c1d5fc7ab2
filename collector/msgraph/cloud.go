package msgraph

const (
	cloudGlobal = "global"
	cloudChina  = "china"
)

// cloud has the addresses of one of Microsoft's clouds.
type cloud struct{ login, graph string }

// cloudNames are the clouds that have call records (Graph, "National cloud deployments"). GCC is part of global; L4 is GCC High, L5 is DoD.
var cloudNames = []string{cloudGlobal, "usgov_l4", "usgov_l5"}

var clouds = map[string]cloud{
	cloudGlobal: {"https://login.microsoftonline.com", "https://graph.microsoft.com"},
	"usgov_l4":  {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
	"usgov_l5":  {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
}
