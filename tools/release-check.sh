#!/usr/bin/env bash
# Builds snapshots of the last commit in two folders and looks into them: the same bytes, everything there, the checksums,
# the binary of this machine started, man page and completions read by what will read them. Leaves one in dist/release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$1

fail() { echo "release-check: $*" >&2; exit 1; }
say() { echo "release-check: $*"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain)" ] || say "what isn't committed is not in it"

git clone --quiet . "$work/one"
git clone --quiet "$work/one" "$work/two/deeper"
for folder in one two/deeper; do
	# The tools are built: their files in the clone are newer, and don't matter.
	make -C "$work/$folder" -o "$tools/goreleaser" -o "$tools/syft" snapshot TOOLS="$tools" > "$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; fail "no snapshot"; }
	say "built in ${SECONDS} s"
done
rm -rf dist/release && mkdir -p dist && cp -a "$work/one/dist/release" dist/release
release=$PWD/dist/release

cd "$release"
sums() { grep -v 'sbom.json$' "$1/checksums.txt" | sort -k2; }
diff <(sums .) <(sums "$work/two/deeper/dist/release") || fail "two builds differ"
say "two builds have the same bytes:"
sums .
sha256sum --quiet --check checksums.txt

version=$(sed -nE 's/.*"version":"([^"]+)".*/\1/p' metadata.json)
for archive in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip; do
	name=cdr-exporter_${version}_$archive
	[ -s "$name" ] || fail "$name is missing"
	grep -q '"modernc.org/sqlite"' "$name.sbom.json" || fail "the SBOM of $name doesn't name SQLite"
done
[ "$(ls ./*.deb ./*.rpm | wc -l)" = 4 ] || fail "there are other packages than deb and rpm for amd64 and arm64"
for package in *.deb *.rpm; do [ -s "$package.sbom.json" ] || fail "$package has no SBOM"; done

mkdir "$work/archive" && tar -C "$work/archive" --strip-components=1 -xzf "cdr-exporter_${version}_linux_amd64.tar.gz"
cd "$work/archive"
for file in cdr-exporter LICENSE README.md CHANGELOG.md config.example.yaml extras/cdr-exporter.1.gz extras/cdr-exporter.bash extras/_cdr-exporter extras/cdr-exporter.fish; do
	[ -s "$file" ] || fail "the archive lacks $file"
done
export PATH=$PWD:$PATH
cdr-exporter version | grep -F "version $version " || fail "the binary has another version than $version"
arm=$(echo "$release"/*_linux_arm64*/cdr-exporter)
if command -v qemu-aarch64-static > /dev/null; then qemu-aarch64-static "$arm" version | grep -F linux/arm64; else say "not started: arm64 (no qemu-aarch64-static), macOS, Windows"; fi

# Completions, where the shells are: each must know the command after `check`.
bash -c 'source extras/cdr-exporter.bash; COMP_WORDS=(cdr-exporter check so) COMP_CWORD=2; _cdr-exporter_bash_autocomplete; [ "${COMPREPLY[*]}" = sources ]' || fail "bash completes nothing"
tried=(bash)
if command -v fish > /dev/null; then
	[[ $(fish --no-config -c 'source extras/cdr-exporter.fish; complete -C "cdr-exporter check so"') == sources* ]] || fail "fish completes nothing"
	tried+=(fish)
fi
if command -v zsh > /dev/null; then
	zsh -f -c 'autoload -U compinit; fpath=($PWD/extras $fpath); compinit -u -D; [ "$_comps[cdr-exporter]" = _cdr-exporter ]' || fail "zsh doesn't find its completion"
	tried+=(zsh)
fi
if command -v mandoc > /dev/null; then gzip -dc extras/cdr-exporter.1.gz | mandoc -T lint -W error || fail "the man page is malformed"; tried+=(mandoc); fi
say "all is in it; read by: ${tried[*]}"
