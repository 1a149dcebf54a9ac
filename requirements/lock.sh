#!/bin/sh
# Write the locks in this directory from the .in files, for Python 3.11 and newer on every platform (`make lock`).
# Pinned versions stay unless UPGRADE=1 (the newest that the .in files allow) or UPGRADE=unpinned (the newest
# MiniStack and boto3 too). PROVIDER=1 writes only terraform/.terraform.lock.hcl: the newest AWS provider that
# terraform/versions.tf allows.
set -eu

cd "$(dirname "$0")"
venv=../.venv/uv
trap 'rm -rf "$venv"' EXIT
trap 'exit 130' INT TERM
python=../.venv/tools/bin/python
# uv writes inside the checkout only.
mkdir -p ../.cache/tmp
TMPDIR=$(cd ../.cache/tmp && pwd)
UV_CACHE_DIR=$(cd ../.cache && pwd)/uv
export TMPDIR UV_CACHE_DIR

if [ -n "${PROVIDER:-}" ]; then
    copy=$TMPDIR/provider-lock
    rm -rf "$copy"
    mkdir "$copy"
    cp ../terraform/versions.tf "$copy"
    "$python" -m tools.local terraform "-chdir=$copy" providers lock \
        -platform=darwin_amd64 -platform=darwin_arm64 -platform=linux_amd64 -platform=linux_arm64
    cp "$copy/.terraform.lock.hcl" ../terraform
    exit
fi

"$python" -m venv --clear --without-pip "$venv"
"$python" -m pip --python "$venv/bin/python" install --quiet --require-hashes -r lock.txt

if [ "${UPGRADE:-}" = unpinned ]; then
    # This edits the .in files: use a temporary checkout. MiniStack pins botocore, so the tools are locked
    # without it to get the newest boto3.
    for name in emulator tools; do
        sed -e 's/^ministack==/ministack>=/' -e '/^-c emulator.txt/d' "$name.in" > "$TMPDIR/unpinned.in"
        cat "$TMPDIR/unpinned.in" > "$name.in"
    done
fi

# Order matters: each file is constrained by the versions of the files before it.
for name in lock pip build offline emulator tools analytics dev faults bench audit; do
    echo "requirements/$name.txt"
    "$venv/bin/uv" pip compile "$name.in" --output-file "$name.txt" --no-config --no-python-downloads --universal \
        --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --quiet ${UPGRADE:+--upgrade}
done
