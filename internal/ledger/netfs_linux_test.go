package ledger

import "testing"

// TestFileSystems (counting.md 29): a network file system is refused, one that may be is warned of.
func TestFileSystems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		magic int64
		want  fileSystem
	}{
		{"ext4", 0xef53, fileSystem{}},
		{"xfs", 0x58465342, fileSystem{}},
		{"btrfs", 0x9123683e, fileSystem{}},
		{"tmpfs", 0x01021994, fileSystem{}},
		{"overlayfs", 0x794c7630, fileSystem{}},
		{"nfs", 0x6969, fileSystem{network: "nfs"}},
		{"smb2", 0xfe534d42, fileSystem{network: "smb2"}},
		{"ceph", 0x00c36400, fileSystem{network: "ceph"}},
		{"9p", 0x01021997, fileSystem{network: "9p"}},
		{"fuse", 0x65735546, fileSystem{doubtful: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := judgeFileSystem(tc.magic); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
