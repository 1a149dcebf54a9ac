#!/bin/sh
# Print the Python that builds the virtual environments, or the reason why there is none.
# $PYTHON is the user's choice, if set.
tools=.venv/tools/bin/python

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -z "$PYTHON" ] && fits "$tools"; then
    echo "$tools"
    exit 0
fi

python=${PYTHON:-python3}
if fits "$python"; then
    echo "$python"
    exit 0
fi

if version=$("$python" --version 2>&1); then
    echo "This needs Python 3.11 or newer, and $python is $version." >&2
else
    echo "This needs Python 3.11 or newer, and there is no working $python on this machine." >&2
fi
for other in python3.14 python3.13 python3.12 python3.11; do
    if fits "$other"; then
        echo "$other is installed: type make PYTHON=$other ..." >&2
        exit 1
    fi
done
echo "Install it (https://www.python.org/downloads/ or your system's packages), or name it: make PYTHON=/path/to/python3" >&2
exit 1
