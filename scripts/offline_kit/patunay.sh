#!/bin/sh
# Linux and other Unix: ./patunay.sh FILE_OR_FOLDER ...   (or: sh patunay.sh ...)
# Finds a Python, and leaves the rest to start.py. PATUNAY_PYTHON names another Python.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

is_new_enough() {
    "$1" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# A Mac's own /usr/bin/python3 may ask to install developer tools, so it comes last.
for python in ${PATUNAY_PYTHON:+"$PATUNAY_PYTHON"} \
    python3.14 python3.13 python3.12 python3.11 \
    /Library/Frameworks/Python.framework/Versions/Current/bin/python3 \
    /opt/homebrew/bin/python3 /usr/local/bin/python3 python3; do
    if command -v "$python" >/dev/null 2>&1 && is_new_enough "$python"; then
        PATUNAY_KIT_NAME=${PATUNAY_KIT_NAME:-$0}
        export PATUNAY_KIT_NAME
        # -I -S: nothing that is installed on this machine can stand in for what is here.
        exec "$python" -I -S "$here/start.py" "$@"
    fi
done

echo 'patunay: error: found no Python 3.11 or later / walang nakitang Python 3.11 o mas bago' >&2
echo 'patunay: hint: install one, or name one: PATUNAY_PYTHON=/path/to/python3.12' >&2
exit 4
