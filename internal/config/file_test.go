package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// hint is what to do about a file that can't be read.
const hint = "correct its name (relative ones start at the folder of the configuration file), or make it " +
	"readable for the user that the exporter runs as"

const withFiles = `privacy:
  hash_key_file: key.txt
otlp:
  headers_file: {authorization: token.txt}
  tls_config: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem}
sources:
- name: a
  acme: {tenant_id: t, client_secret_file: sub/secret, certificate_file: /etc/none.pem, calls: }
`

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	check := func() error {
		options := options()
		options.CheckFiles = true
		_, err := config.Parse(filepath.Join(dir, "c.yaml"),
			[]byte(strings.Replace(withFiles, "/etc/none.pem", "there", 1)), options)
		return err
	}
	for _, name := range []string{"key.txt", "ca.pem", "cert.pem", "there"} {
		write(t, filepath.Join(dir, name), "x")
	}
	write(t, filepath.Join(dir, "key.pem"), "")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub/secret"), 0o700))
	want := strings.NewReplacer("HINT", hint, "DIR", dir, "CANT", "can't read the file").Replace(
		`DIR/c.yaml:4: otlp.headers_file.authorization: CANT DIR/token.txt: no such file or directory; HINT
DIR/c.yaml:5: otlp.tls_config.key_file: CANT DIR/key.pem: is empty; HINT
DIR/c.yaml:8: sources[0].acme.client_secret_file: CANT DIR/sub/secret: not a regular file; HINT`)
	if err := check(); err == nil || err.Error() != want {
		t.Errorf("the problems are\n%v\nwant\n%s", err, want)
	}
	for _, name := range []string{"token.txt", "key.pem"} {
		write(t, filepath.Join(dir, name), "x")
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "sub/secret")))
	write(t, filepath.Join(dir, "sub/secret"), "x")
	want = strings.ReplaceAll("DIR/c.yaml:5: otlp.tls_config: unable to use specified CA cert file "+
		"DIR/ca.pem; set certificates and their own keys as PEM", "DIR", dir)
	if err := check(); err == nil || err.Error() != want {
		t.Errorf("the problems are\n%v\nwant\n%s", err, want)
	}
	writeCertificate(t, dir)
	if err := check(); err != nil {
		t.Errorf("unexpected problems:\n%v", err)
	}
}

// writeCertificate writes a certificate, which is its own authority, and its key.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	authority, err := simulator.NewAuthority()
	require.NoError(t, err)
	write(t, filepath.Join(dir, "ca.pem"), string(authority.CA()))
	write(t, filepath.Join(dir, "cert.pem"), string(authority.CA()))
	write(t, filepath.Join(dir, "key.pem"), string(authority.Key()))
}

// TestFileThatCannotBeRead: a file as a folder stops the superuser too. A variable with the secret itself, in place of
// the name of its file, isn't shown.
func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key.txt"), "x")
	options := options()
	options.CheckFiles = true
	for name, problem := range map[string]string{
		"key.txt/x":       filepath.Join(dir, "key.txt/x") + ": " + syscall.ENOTDIR.Error(),
		"'${env:SECRET}'": "${env:SECRET}: " + syscall.ENOENT.Error(),
	} {
		text := []byte("privacy: {hash_key_file: " + name + "}\n" + valid)
		_, err := config.Parse(filepath.Join(dir, "c.yaml"), text, options)
		want := filepath.Join(dir, "c.yaml") + ":1: privacy.hash_key_file: can't read the file " + problem + "; " + hint
		if err == nil || err.Error() != want {
			t.Errorf("the problem is %v, want %s", err, want)
		}
	}
}
