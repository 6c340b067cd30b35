#!/bin/sh
# Make the virtual environment $2 with the interpreter $1, or say what is missing.
set -eu
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
    echo "ml-logger needs Python 3.10 or newer; '$python' is $("$python" --version 2>&1 || echo not there). Try: make PYTHON=python3.12 …" >&2
    exit 2
}
[ -x "$venv/bin/pip" ] && exit 0
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "this Python has no venv module; installing the package python3-venv …" >&2
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
    $sudo apt-get install -y -qq python3-venv >/dev/null 2>&1 || {
        echo "could not: please install your system's package for Python's venv (Debian: apt install python3-venv) and try again" >&2
        exit 2
    }
fi
echo "making $venv …"
"$python" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --upgrade pip
