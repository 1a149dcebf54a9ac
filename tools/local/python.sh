#!/bin/sh
# Print the Python that builds the virtual environments, or the reason why there is none.
# $PYTHON is the user's choice, if set.
# An environment that an interrupted install left half removed could not build itself again.
tools=
if [ -e .venv/tools/built-from ]; then
    tools=.venv/tools/bin/python
fi

fits() {
    # Windows' own Python has no fcntl.
    "$1" -c 'import sys, fcntl; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -z "$PYTHON" ]; then
    # python3 is what the system means by Python; then the newest of the others.
    for python in $tools python3 python3.14 python3.13 python3.12 python3.11 python; do
        if fits "$python"; then
            echo "$python"
            exit 0
        fi
    done
elif fits "$PYTHON"; then
    echo "$PYTHON"
    exit 0
fi

for python in ${PYTHON:+"$PYTHON"} python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.platform != "win32")' 2>/dev/null; then
        echo "$python is Windows' own Python. Use WSL 2 or the dev container (.devcontainer/)." >&2
        exit 1
    fi
done

PYTHON=${PYTHON:-python3}
# PYTHONHOME or PYTHONHASHSEED of another program, for example.
case $("$PYTHON" -c '' 2>&1) in *"Fatal Python error"*)
    echo "$PYTHON does not start. Look for a setting of another program: env | grep ^PYTHON" >&2
    exit 1
esac
if version=$("$PYTHON" --version 2>&1); then
    echo "This needs Python 3.11 or newer, and $PYTHON is $version." >&2
else
    echo "This needs Python 3.11 or newer, and there is no working $PYTHON on this machine." >&2
fi
echo "Install one (https://www.python.org/downloads/, or your system's packages), or name it: make PYTHON=/path/to/python3" >&2
exit 1
