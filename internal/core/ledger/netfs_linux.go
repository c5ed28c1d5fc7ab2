package ledger

import "golang.org/x/sys/unix"

// networkFileSystems are those that are on a network, or may be, by the magic number that statfs gives (linux/magic.h).
var networkFileSystems = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x5346414f: "afs",
	0x00c36400: "ceph",
	0x0bd00bd0: "lustre",
	0x01161970: "gfs2",
	0x7461636f: "ocfs2",
	0x013111a8: "ibrix",
	0x01021997: "9p",
	0x65735546: fuse,
}

// fileSystem describes a folder's file system: its name if it is on a network, how many bytes are
// free, and whether that is known.
func fileSystem(folder string) (network string, free int64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return "", 0, false
	}
	// the width of Type differs between architectures
	return networkFileSystems[uint32(st.Type)], int64(st.Bavail * uint64(st.Bsize)), true
}
