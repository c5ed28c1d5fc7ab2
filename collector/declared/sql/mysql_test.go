package sql_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// serveMySQL is a server of MySQL, and says answers statements: nil means one row, or OK, and an empty answer means
// that the server is silent.
func serveMySQL(t *testing.T, says func(statement string) []byte) (dsn string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go talkMySQL(conn, says)
		}
	}()
	return "u:@tcp(" + l.Addr().String() + ")/cdr"
}

func talkMySQL(conn net.Conn, says func(statement string) []byte) {
	defer conn.Close() //nolint:errcheck // the client went
	var number byte
	send := func(packets ...[]byte) {
		for _, p := range packets {
			head := binary.LittleEndian.AppendUint32(nil, uint32(len(p))|uint32(number)<<24) //nolint:gosec // short
			_, _ = conn.Write(append(head, p...))
			number++
		}
	}
	receive := func() (packet []byte, err error) {
		head := make([]byte, 4)
		if _, err = io.ReadFull(conn, head); err != nil {
			return nil, err
		}
		number = head[3] + 1
		head[3] = 0
		packet = make([]byte, binary.LittleEndian.Uint32(head))
		_, err = io.ReadFull(conn, packet)
		return packet, err
	}
	texts := func(all ...string) (packet []byte) {
		for _, text := range all {
			packet = append(append(packet, byte(len(text))), text...)
		}
		return packet
	}
	column := func(name string) []byte {
		return append(texts("def", "", "", "", name, ""), 0x0c, 45, 0, 255, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0)
	}
	ok, end := []byte{0, 0, 0, 2, 0, 0, 0}, []byte{0xfe, 0, 0, 2, 0}
	greeting := append([]byte("\x0a8.0.0\x00\x01\x00\x00\x0012345678\x00\x00\x82\x2d\x02\x00\x08\x00\x15"),
		bytes.Repeat([]byte{0}, 10)...)
	send(append(greeting, "123456789012\x00mysql_native_password\x00"...))
	if _, err := receive(); err != nil {
		return
	}
	send(ok)
	for {
		command, err := receive()
		if err != nil || command[0] != 3 { // a query
			return
		}
		statement := string(command[1:])
		answer := says(statement)
		switch {
		case len(answer) > 0:
			send(answer)
		case answer != nil:
		case strings.HasPrefix(statement, "SELECT"):
			send([]byte{2}, column("id"), column("at"), end, texts("1", "2026-11-23 10:00:00"), end)
		default:
			send(ok)
		}
	}
}

// TestSQLErrorsOfMySQL: a query that a database can never run isn't one to wait for, and a server that wants another
// kind of connection can be reached.
func TestSQLErrorsOfMySQL(t *testing.T) {
	for _, c := range []struct{ dsn, answer, want string }{
		{"", "\xff\xf3\x04#HY000Illegal mix of collations", "the query: Illegal mix of collations (error 1267)"},
		{"", "\xff\x57\x0c#HY000Connections are insecure", "only lets in connections with TLS (error 3159)"},
		{"?tls=true", "", "can't be used: TLS requested but server does not support TLS"},
	} {
		dsn := serveMySQL(t, func(statement string) []byte {
			if strings.HasPrefix(statement, "SELECT") {
				return []byte(c.answer)
			}
			return nil
		}) + c.dsn
		text := strings.Replace(table(byStart, "by: start"), "sqlite", "mysql", 1)
		_, err := open(t, text, "dsn: '"+dsn+"', calls: ").Feeds[0].Probe(t.Context())
		if said := fmt.Sprint(err); !strings.Contains(said, c.want) {
			t.Errorf("%s, want %q", said, c.want)
		}
	}
}

// TestSQLSilentMySQL: a server that goes without a word once it has given its rows, behind a proxy that stays, holds no
// read up for good.
func TestSQLSilentMySQL(t *testing.T) {
	dsn := serveMySQL(t, func(statement string) []byte {
		if statement == "ROLLBACK" {
			return []byte{}
		}
		return nil
	})
	source := open(t, strings.Replace(table(byStart, "by: start"), "sqlite", "mysql", 1), "dsn: '"+dsn+"', calls: ")
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	read := make(chan string, 1)
	go func() {
		for page, err := range source.Feeds[0].Reader.Pages(ctx, begin, begin.Add(time.Minute)) {
			read <- fmt.Sprintf("%d, %v", len(page.Records), err)
			return
		}
	}()
	select {
	case got := <-read:
		if got != "1, <nil>" {
			t.Error(got)
		}
	case <-time.After(10 * time.Second):
		t.Error("the read doesn't end")
	}
}

// TestSQLOldMySQL: a server before MySQL 5.6 and MariaDB 10.0, such as FreePBX's on CentOS 7, knows no READ ONLY. It
// skips a comment for later versions.
func TestSQLOldMySQL(t *testing.T) {
	later := regexp.MustCompile(`/\*!\d+.*?\*/`)
	dsn := serveMySQL(t, func(statement string) []byte {
		if strings.Contains(later.ReplaceAllString(statement, ""), "READ ONLY") {
			return []byte("\xff\x28\x04#42000You have an error in your SQL syntax near 'READ ONLY'")
		}
		return nil
	})
	source := open(t, strings.Replace(table(byStart, "by: start"), "sqlite", "mysql", 1), "dsn: '"+dsn+"', calls: ")
	_, err := source.Feeds[0].Probe(t.Context())
	require.NoError(t, err)
}
