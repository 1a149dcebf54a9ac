#!/bin/sh
# Makes the locks in this directory from the .in files, for Python 3.11 and newer on every platform.
# Run by `make lock`. Versions stay as they are where they still fit; UPGRADE=1 takes the newest that the .in files
# allow, and UPGRADE=unpinned the newest MiniStack and boto3, which they pin and hold to each other.
set -eu

cd "$(dirname "$0")"
venv=../.venv/uv
trap 'rm -rf "$venv"' EXIT
trap 'exit 130' INT TERM
python=../.venv/tools/bin/python
# All that uv writes stays in the checkout.
mkdir -p ../.cache/tmp
TMPDIR=$(cd ../.cache/tmp && pwd)
UV_CACHE_DIR=$(cd ../.cache && pwd)/uv
export TMPDIR UV_CACHE_DIR

"$python" -m venv --clear --without-pip "$venv"
"$python" -m pip --python "$venv/bin/python" install --quiet --require-hashes -r lock.txt

if [ "${UPGRADE:-}" = unpinned ]; then
    # Edits the .in files: for a checkout that is thrown away. MiniStack pins botocore, so that the clients
    # get the newest boto3 only apart from it.
    for name in emulator tools; do
        sed -e 's/^ministack==/ministack>=/' -e '/^-c emulator.txt/d' "$name.in" > "$TMPDIR/unpinned.in"
        cat "$TMPDIR/unpinned.in" > "$name.in"
    done
fi

# Order matters: each file is held to the versions of those before it.
for name in lock build offline emulator tools analytics dev bench audit; do
    echo "requirements/$name.txt"
    "$venv/bin/uv" pip compile "$name.in" --output-file "$name.txt" --no-config --no-python-downloads --universal \
        --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --quiet ${UPGRADE:+--upgrade}
done
