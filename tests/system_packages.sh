#!/bin/sh
# Install what the tests need from the system: a browser, and tools that make faults. Says plainly what it could not do.
set -u
missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
command -v fusermount3 >/dev/null 2>&1 || missing="$missing fuse3"
command -v git >/dev/null 2>&1 || missing="$missing git"
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "tests that need$missing will be skipped: please install them with your package manager" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
echo "installing$missing …"
log=$(mktemp)
if ! { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    echo "could not install$missing (see $log); tests that need them will be skipped. As root: apt-get install$missing" >&2
    [ "${CI:-}" = true ] && { tail -n 20 "$log" >&2; exit 1; }
fi
exit 0
