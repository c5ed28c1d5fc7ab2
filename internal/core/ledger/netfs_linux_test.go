package ledger

import "testing"

// TestFileSystems (counting.md 29): a network file system is refused, one that may be is warned of.
func TestFileSystems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		magic uint32
		want  string
	}{
		{"ext4", 0xef53, ""},
		{"xfs", 0x58465342, ""},
		{"btrfs", 0x9123683e, ""},
		{"tmpfs", 0x01021994, ""},
		{"overlayfs", 0x794c7630, ""},
		{"nfs", 0x6969, "nfs"},
		{"smb2", 0xfe534d42, "smb2"},
		{"ceph", 0x00c36400, "ceph"},
		{"9p", 0x01021997, "9p"},
		{"fuse", 0x65735546, fuse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := networkFileSystems[tc.magic]; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
