#!/usr/bin/env bash
# Prepares the image that grades: a virtual environment with what requirements.txt lists, and what JAX compiles for the
# assignment in requirements.course.zip (no other file of ours is there yet when Otter's Dockerfile runs this).
# Runs as root while the image is built (`otter grade`, Gradescope), on python:3.x-slim, Debian and Ubuntu.
# Package sources are pip's and uv's own settings (PIP_INDEX_URL, UV_INDEX_URL, …), if any. Running it again is quick.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=${AUTOGRADER_PREFIX:-/opt/autograder}   # readable by the unprivileged user that submissions run as
venv=$prefix/venv
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
umask 022
mkdir -p "$prefix"

say() { echo "setup: $*" >&2; }
recent() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null; }
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 /usr/local/bin/python3; do
        if command -v "$candidate" >/dev/null && recent "$candidate"; then command -v "$candidate"; return; fi
    done
    return 1
}
apt_updated=
install_packages() {
    command -v apt-get >/dev/null || return 1
    [ -n "$apt_updated" ] || apt-get update -q >&2 || return 1
    apt_updated=1
    apt-get install -y -q --no-install-recommends "$@" >&2
}

# 1. uv, by which everything else is quick; without it, pip does the same more slowly.
find_uv() {
    if command -v uv >/dev/null; then command -v uv; return; fi
    [ -x "$prefix/uv/bin/uv" ] || {
        local python
        python=$(find_python || command -v python3) || return 1
        # ensurepip is a package of its own on Debian and Ubuntu
        "$python" -m venv "$prefix/uv" >/dev/null 2>&1 || {
            rm -rf "$prefix/uv"
            install_packages python3-venv && "$python" -m venv "$prefix/uv"
        } || return 1
        "$prefix/uv/bin/pip" install -q uv >&2 || return 1
    }
    echo "$prefix/uv/bin/uv"
}

# 2. Python 3.11 or newer: the image's own, the distribution's, or (Ubuntu 22.04 has 3.10) one that uv brings along;
#    where that cannot be downloaded, Ubuntu 22.04's own python3.11 package.
command -v python3 >/dev/null || install_packages python3 python3-venv || say "no python3 in the package sources"
uv=$(find_uv) || { uv=; say "uv cannot be installed; using pip"; }
if ! python=$(find_python); then
    export UV_PYTHON_INSTALL_DIR=$prefix/python
    if [ -n "$uv" ] && "$uv" python install --no-bin 3.12 >&2; then
        python=$("$uv" python find --managed-python 3.12)
    elif install_packages python3.11 python3.11-venv && python=$(find_python); then
        say "uv could not bring a Python; using the distribution's python3.11"
    else
        say "Python 3.11 or newer is needed and cannot be had here; build on python:3.12-slim or ubuntu:24.04"
        exit 1
    fi
fi

# 3. The environment, unless it is there already and the lists are the same.
wanted=$(cat "$here"/requirements*.txt | cksum)-$("$python" -V)
install_environment() {
    local arguments=(-r "$here/requirements.txt")
    [ ! -f "$here/requirements.constraints.txt" ] || arguments+=(-c "$here/requirements.constraints.txt")
    rm -rf "$venv" "$prefix/installed"
    if [ -n "$uv" ]; then
        # an image layer keeps files, so hard links into a cache would only be copied again
        export UV_LINK_MODE=copy UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180} UV_NO_CACHE=1
        if [ -n "${PIP_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}; fi
        if [ -n "${PIP_EXTRA_INDEX_URL:-}" ]; then export UV_INDEX=${UV_INDEX:-$PIP_EXTRA_INDEX_URL}; fi
        "$uv" venv -q --python "$python" "$venv"
        "$uv" pip install -q --python "$venv/bin/python" "${arguments[@]}" --compile-bytecode
    else
        "$python" -m venv "$venv" 2>/dev/null || {
            rm -rf "$venv"
            install_packages python3-venv && "$python" -m venv "$venv"
        }
        "$venv/bin/pip" install -q --no-cache-dir "${arguments[@]}"
    fi
    "$venv/bin/python" -c 'import jax, otter, nbformat, ipykernel' >&2
    rm -rf "$prefix/uv"
    echo "$wanted" > "$prefix/installed"
}
if [ "$(cat "$prefix/installed" 2>/dev/null)" = "$wanted" ]; then say "already installed"; else install_environment; fi

# 4. What JAX compiles for the reference, ahead, and what the known mistakes answer: a submission needs the same
#    operations, and a container starts with nothing. The course is unpacked where only root reads, and removed; what a
#    submission may read of what is kept holds nothing of it.
compile_ahead() {
    local course=$prefix/course status=0
    rm -rf "$course"
    (umask 077 && mkdir "$course") && "$venv/bin/python" -m zipfile -e "$here/requirements.course.zip" "$course" &&
        AUTOGRADER_SEED=$(cat "$course/seed" 2>/dev/null) \
            PYTHONPATH="$course" AUTOGRADER_ASSIGNMENTS="$course/assignments" \
            AUTOGRADER_CACHE="$prefix/compiled" PYTHONDONTWRITEBYTECODE=1 JAX_ENABLE_X64=1 JAX_PLATFORMS=cpu \
            timeout 300 "$venv/bin/python" -P -m autograder.grading.warmup "$course"/assignments/* >&2 || status=1
    rm -rf "$course"
    return $status
}
if [ -f "$here/requirements.course.zip" ]; then
    compile_ahead || say "nothing could be compiled ahead; submissions take longer"
fi
say "ready: $("$venv/bin/python" -V), $(du -sh "$prefix" | cut -f1)"
