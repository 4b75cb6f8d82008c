#!/bin/sh
# Installs what the tests against real consumers need from Debian: a browser, assimp, Godot with a display to start on,
# Blender with the numpy that it only recommends, ip, which sets up a network of a test's own, QEMU, which runs Python on
# an older processor, and the libraries that Blender's Python module loads. Node.js comes with the extra
# "dev". Does nothing when all is there; says what to do when it may not install.
set -eu

packages="assimp-utils blender chromium godot3 iproute2 libegl1 libgl1 libgl1-mesa-dri libice6 libsm6 libx11-6
    libxext6 libxfixes3 libxi6 libxkbcommon0 libxrender1 libxxf86vm1 python3-numpy qemu-user xauth xdotool xvfb"

missing=""
for package in $packages; do
    case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
        ii*) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "The tests in tests/real need these Debian packages:$missing" >&2
    exit 1
fi
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
