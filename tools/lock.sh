#!/bin/sh
# Write requirements/*.lock anew from setup.cfg: exact versions with the hashes of every published file.
# Usage: tools/lock.sh [PYTHON]; take what it changes only together with a run of `make test lint`.
set -eu
cd "$(dirname "$0")/.."
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
"${1:-python3}" -m venv "$tool"
"$tool/bin/pip" install --quiet pip-tools==7.6.2

lock() { # lock NAME EXTRA… : the runtime requirements and those extras
    name=$1
    shift
    for extra in "$@"; do set -- "$@" --extra "$extra"; shift; done
    "$tool/bin/pip-compile" --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header "$@" \
        --output-file "$tool/$name" pyproject.toml
    { echo "# Written by tools/lock.sh; do not edit."; grep -v -e '^$' -e '^# The following' "$tool/$name"; } \
        > "requirements/$name"
}

lock runtime.lock build
lock develop.lock build test lint
