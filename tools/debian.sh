#!/bin/sh
# Make sure that programs are there: tools/debian.sh PROGRAM=PACKAGE …
# What is missing is installed with apt-get as root or through sudo without a password; otherwise say what to install.
# python3-venv as a program stands for the venv and ensurepip modules of $PYTHON, a name with .so. for a library.
set -eu
PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
        python3-venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null ;;
        *.so.*) ldconfig -p | grep -q "$1" ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing=
for pair in "$@"; do
    present "${pair%%=*}" || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing: what Debian calls$missing. Install it with your system's package manager, then run make again." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root() { env "$@"; }
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root() { sudo -n env "$@"; }
else
    echo "Missing packages. Run this, then make again:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

# Packages of servers would start them and take their ports; only their programs are wanted.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    trap 'as_root rm -f $policy' EXIT
    as_root chmod +x $policy
fi
echo "Installing:$missing"
as_root apt-get update -qq </dev/null
# shellcheck disable=SC2086 # a list of names
as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
for pair in "$@"; do
    present "${pair%%=*}" || { echo "${pair%%=*} is still missing after installing ${pair#*=}" >&2; exit 1; }
done
