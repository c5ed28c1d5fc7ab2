package ledger

import "golang.org/x/sys/unix"

// networkFileSystems by the magic number that statfs gives (linux/magic.h).
var networkFileSystems = map[int64]string{
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
}

// fuse is the magic number of file systems in user space: some are local, some are on a network.
const fuse = 0x65735546

// fileSystemOf judges the file system that a folder lies on.
func fileSystemOf(folder string) fileSystem {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return fileSystem{}
	}
	return judgeFileSystem(int64(uint32(st.Type))) // its width differs between architectures
}

func judgeFileSystem(magic int64) fileSystem {
	return fileSystem{network: networkFileSystems[magic], doubtful: magic == fuse}
}

// freeSpace is how many bytes may still be written to a folder's file system, and
// whether that could be found out.
func freeSpace(folder string) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail * uint64(st.Bsize)), true
}
