#!/bin/sh
# Makes .venv, or completes the one that is there, with graphbuilder and its development tools. The stamp is written
# last and names the folder, so a set-up that was cut short, or a checkout that has moved, is done again.
set -eu

cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/.ready

say() { printf '%s\n' "$*"; }

suits() {
    # TensorFlow has no packages for Python 3.14 yet.
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if suits "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    say "graphbuilder needs Python 3.11, 3.12 or 3.13, and none was found." >&2
    for candidate in ${PYTHON:-python3}; do
        say "$candidate is: $("$candidate" --version 2>&1 | head -n 1)" >&2
    done
    say "Install one, or name it: make PYTHON=/path/to/python3.12 setup" >&2
    return 1
}

rm -f "$stamp"
if ! { suits "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    say "Making $venv with $("$python" --version 2>&1)…"
    if ! "$python" -m venv --clear "$venv"; then
        say "$python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)." >&2
        exit 1
    fi
fi

if "$venv/bin/python" -m pip show --quiet tensorflow >/dev/null 2>&1; then
    say "Bringing $venv up to date with pyproject.toml…"
    quiet=--quiet
else
    say "Setting up $venv (TensorFlow is about 600 MB; a few minutes the first time)…"
    quiet=
fi
# shellcheck disable=SC2086 # without a value there is to be no argument
"$venv/bin/python" -m pip install --disable-pip-version-check $quiet --editable '.[dev]'
pwd -P >"$stamp"
