package msgraph

const (
	cloudGlobal = "global"
	cloudChina  = "china"
)

// cloud is where one of Microsoft's clouds answers. The scope of tokens is that of
// the cloud's Graph also when Graph is asked through another address.
type cloud struct {
	name, login, graph string
}

// scope is what tokens are asked for: everything that the app was granted.
func (c cloud) scope() string { return c.graph + "/.default" }

// clouds are those that have call records (Graph, "National cloud deployments").
// GCC is part of global; L4 is GCC High, L5 is DoD.
func clouds() []cloud {
	return []cloud{
		{cloudGlobal, "https://login.microsoftonline.com", "https://graph.microsoft.com"},
		{"usgov_l4", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
		{"usgov_l5", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
	}
}

func cloudNames() []string {
	var names []string
	for _, c := range clouds() {
		names = append(names, c.name)
	}
	return names
}

func cloudByName(name string) (cloud, bool) {
	for _, c := range clouds() {
		if c.name == name {
			return c, true
		}
	}
	return cloud{}, false
}
