#!/bin/sh
# Compiles Python 3.13 into a folder: Blender's module needs it from 5.1 on, and Debian 12 doesn't have it. The source is
# that of Debian 13, from the mirror that apt uses here, checked with Debian's keys. Not optimised: four minutes on two
# cores.
#
# Usage: sh python313.sh FOLDER
set -eu

folder=$1
keys=/usr/share/keyrings/debian-archive-keyring.gpg
packages="gcc libc6-dev libffi-dev libssl-dev make xz-utils zlib1g-dev"

missing=""
for package in $packages; do
    case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
        ii*) ;;
        *) missing="$missing $package" ;;
    esac
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "Compiling Python 3.13 needs these Debian packages:$missing" >&2
        exit 1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

. /etc/os-release
mirror="$(apt-get update --print-uris | sed -n "s,^'\([^']*\)dists/${VERSION_CODENAME:-none}/InRelease'.*,\1,p" | head -n 1)"
if [ -z "$mirror" ]; then
    echo "apt names no mirror of Debian here." >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
echo "deb-src [signed-by=$keys] $mirror trixie main" >"$work/sources.list"
cat >"$work/apt.conf" <<END
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
END
export APT_CONFIG="$work/apt.conf"
cd "$work"
apt-get update -qq
apt-get source -qq --download-only python3.13
tar -xf python3.13_*.orig.tar.xz
cd Python-3.13*/
./configure -q --prefix="$folder" --disable-test-modules CFLAGS=-O1
make -s -j"$(nproc)"
make -s altinstall
