package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

// listedFile is a file that the last look at the folders found.
type listedFile struct {
	path string
	info fs.FileInfo
	id   uint64 // see idOf
	// renamed says that no pattern names it: it was found by its inode.
	renamed bool
	failed  bool // it couldn't be read
	// zipped: its name ends with .gz. Then info is of the compressed file until it was inflated,
	// and then has the inflated size.
	zipped bool
	// entry says up to where a growing file was read; nil: it isn't read.
	entry *entry
}

// fileList lists files. What can't be looked at is a trouble, and the others are listed.
type fileList struct {
	files    []*listedFile
	named    []string // the names that patterns stand for
	troubles []error
	// waits are what waits in files for what isn't written yet. holds says that complete records
	// are among it.
	waits []error
	holds bool
	ids   map[uint64][]fs.FileInfo
	paths map[string]time.Time // when each was written to
}

// listFiles lists the regular files that patterns name, those that were written first at the
// beginning. A file with several names is listed once, and those that are compressed otherwise than
// by gzip aren't.
func listFiles(patterns []string) *fileList {
	l := &fileList{ids: make(map[uint64][]fs.FileInfo), paths: make(map[string]time.Time)}
	for _, pattern := range patterns {
		for _, path := range l.expand(pattern) {
			if !isCompressed(path) {
				l.named = append(l.named, path)
				l.addFile(path, nil)
			}
		}
	}
	l.sort()
	return l
}

// addRenamed adds those files in the folders of patterns, and in those behind links, that have one of these inodes.
func (l *fileList) addRenamed(patterns []string, ids map[uint64]bool) {
	var folders []string
	for _, pattern := range patterns {
		some, _ := filepath.Glob(filepath.Dir(pattern))
		folders = append(folders, some...)
	}
	for _, path := range l.named {
		for _, folder := range behindLink(path) {
			// One may be allowed to read the file, and not to list its folder.
			if _, err := os.ReadDir(folder); err == nil {
				folders = append(folders, folder)
			}
		}
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		for _, name := range l.names(folder, false) {
			l.addFile(filepath.Join(folder, name), ids)
		}
	}
	l.sort()
}

// behindLink are the folders to which a symbolic link leads, through other links too. The file may be missing there.
func behindLink(path string) (folders []string) {
	for range 8 { // they may lead in a circle
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				break
			}
			target = filepath.Join(folder, target)
		}
		path = target
		folders = append(folders, filepath.Dir(path))
	}
	return folders
}

func (l *fileList) sort() {
	slices.SortStableFunc(l.files, func(a, b *listedFile) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), strings.Compare(a.path, b.path))
	})
}

// expand is the names that a pattern stands for. Unlike filepath.Glob it says which folders can't be read.
func (l *fileList) expand(pattern string) (paths []string) {
	folder, base := filepath.Split(pattern)
	folder = filepath.Clean(folder)
	folders, named := []string{folder}, !hasMeta(folder)
	if !named {
		folders = l.expand(folder)
	}
	for _, folder := range folders {
		if !hasMeta(base) {
			// the pattern may match folders without this file, and files
			if path := filepath.Join(folder, base); named || mayExist(path) {
				paths = append(paths, path)
			}
			continue
		}
		for _, name := range l.names(folder, named) {
			if matches, _ := filepath.Match(base, name); matches {
				paths = append(paths, filepath.Join(folder, name))
			}
		}
	}
	return paths
}

// mayExist says whether something has the name, or it can't be seen whether it has.
func mayExist(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// names returns the names in a folder. If the folder must exist, a missing one is a trouble.
func (l *fileList) names(folder string, must bool) (names []string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		if info, _ := os.Stat(folder); must || info != nil && info.IsDir() {
			l.trouble("folder", folder, err)
		}
		return nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// addFile adds a regular file. With inodes it is one that was renamed, and must have one of these.
func (l *fileList) addFile(path string, inodes map[uint64]bool) {
	info, err := os.Stat(path)
	if err != nil {
		folder := filepath.Dir(path)
		if _, missing := os.Stat(folder); missing != nil {
			l.trouble("folder", folder, missing)
		} else if !errors.Is(err, fs.ErrNotExist) { // between two rotations a file may be missing
			l.trouble("file", path, err)
		}
		return
	}
	if !info.Mode().IsRegular() {
		return
	}
	id, err := idOf(path, info)
	if err != nil {
		l.trouble("file", path, err)
		return
	}
	if (inodes == nil || inodes[id]) && !l.has(id, info) {
		l.paths[path] = info.ModTime()
		l.files = append(l.files, &listedFile{
			path: path, info: info, id: id, renamed: inodes != nil, zipped: filepath.Ext(path) == ".gz",
		})
	}
}

// has says whether a file is listed, under whichever name.
func (l *fileList) has(id uint64, info fs.FileInfo) bool {
	if slices.ContainsFunc(l.ids[id], func(other fs.FileInfo) bool { return os.SameFile(other, info) }) {
		return true
	}
	l.ids[id] = append(l.ids[id], info)
	return false
}

// trouble notes that a file or folder can't be read.
func (l *fileList) trouble(what, path string, err error) {
	todo := "mend it, or take it away"
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err, todo = cause.Err, "see that it is there and that the user that the exporter runs as may read it"
	}
	l.troubles = append(l.troubles, &advice.Error{
		What: fmt.Sprintf("the %s %s can't be read: %s", what, path, err), Todo: todo + "; the other files are read",
	})
}

// wait notes that something of a file waits.
func (l *fileList) wait(holds bool, path, why, todo string) {
	l.holds = l.holds || holds
	l.waits = append(l.waits, &advice.Error{What: fmt.Sprintf("the file %s waits: %s", path, why), Todo: todo})
}

// fail notes that a file can't be read, unless it is gone by now.
func (l *fileList) fail(f *listedFile, err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		f.failed = true
		l.trouble("file", f.path, err)
	}
}

// anyRead says whether at least one file could be read. One is enough to show the first history.
func (l *fileList) anyRead() bool {
	return slices.ContainsFunc(l.files, func(f *listedFile) bool { return !f.failed })
}

// misses says whether rows are there that couldn't be read, as far as the files were looked at.
func (l *fileList) misses() bool { return len(l.troubles) > 0 || l.holds }

// err is the first trouble, and how many there are besides; nil if there is none. It is a
// collector.Waiting if things only wait, a collector.Partial if another file could be read.
func (l *fileList) err() (err error) {
	all := slices.Concat(l.troubles, l.waits)
	switch len(all) {
	case 0:
		return nil
	case 1:
		err = all[0]
	default:
		err = fmt.Errorf("%w; and %d more", all[0], len(all)-1)
	}
	switch {
	case len(l.troubles) == 0:
		err = &collector.Waiting{Err: err, Holds: l.holds}
	case l.anyRead():
		err = &collector.Partial{Err: err}
	}
	return err
}

// hasNewer says whether a file has the name of another one with what programs that rotate add: calls.csv.1,
// calls.csv-20261126. One that is older may be left over from before a program wrote a file for each day.
func (l *fileList) hasNewer(f *listedFile) bool {
	for i, c := range f.path {
		if c != '.' && c != '-' {
			continue
		}
		if written, is := l.paths[f.path[:i]]; is && !written.Before(f.info.ModTime()) {
			return true
		}
	}
	return false
}

// isCompressed says whether a file is of a format that isn't read.
func isCompressed(path string) bool {
	return slices.Contains([]string{".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip"}, filepath.Ext(path))
}
