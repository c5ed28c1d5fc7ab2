// Command compose-check loads files of the Compose Specification like Docker Compose (schema,
// variables, merging) and prints the project as JSON, with all profiles.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	project, err := load(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose-check:", err)
		os.Exit(1)
	}
	fmt.Println(project)
}

func load(ctx context.Context, files []string) (string, error) {
	options, err := cli.NewProjectOptions(files, cli.WithProfiles([]string{"*"}), cli.WithDotEnv,
		cli.WithInterpolation(true))
	if err != nil {
		return "", err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return "", err
	}
	text, err := project.MarshalJSON()
	return string(text), err
}
