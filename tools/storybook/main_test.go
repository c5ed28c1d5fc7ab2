package main

import (
	"bufio"
	"context"
	"io"
	"regexp"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestStorybook: it says where to look, each story is at the address that the index names, and it ends when it should.
func TestStorybook(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-listen=127.0.0.1:0"}, write) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	base := regexp.MustCompile(`http://\S+/`).FindString(line)
	links := regexp.MustCompile(`href="\./([^"]+/)">`).FindAllStringSubmatch(get(t, base), -1)
	if len(links) != len(stories.All()) {
		t.Errorf("the index has %d links for %d stories", len(links), len(stories.All()))
	}
	for _, link := range links {
		get(t, base+link[1])
		get(t, base+link[1]+"assets/page.js")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	body, err := program.Get(t.Context(), address)
	require.NoError(t, err)
	return string(body)
}
