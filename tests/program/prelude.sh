# What the scripts in cases/ may use. Each runs in a folder of its own; $root is the machine's.
# A script's first comment is the promise it keeps; it fails at the first thing that is not so.
set -euo pipefail

root=$PWD/root
out=$PWD/out
err=$PWD/err
mkdir -p "$root/etc/imds-bootstrap/config.d" "$root/etc/imds-bootstrap/templates"

# image FILE: standard input becomes a file of the image, below /etc/imds-bootstrap.
image() {
    mkdir -p "$(dirname "$root/etc/imds-bootstrap/$1")"
    cat >"$root/etc/imds-bootstrap/$1"
}

# machine: standard input becomes the machine file of the emulator, which is started if need be.
machine() {
    # By a rename, so that the emulator never reads half a file.
    cat >machine.new
    mv machine.new machine.yaml
    [ -n "${emulator:-}" ] && return
    mkfifo endpoint
    imds-bootstrap emulate machine.yaml --listen 127.0.0.1:0 >endpoint 2>requests &
    emulator=$!
    trap 'kill "$emulator" 2>/dev/null; wait "$emulator" 2>/dev/null || true' EXIT
    exec 3<endpoint # held open, or the emulator would write into nothing
    read -r IMDS_BOOTSTRAP_IMDS_ENDPOINT <&3
    export IMDS_BOOTSTRAP_IMDS_ENDPOINT
}

# vaults: the agent asks the emulator for its secrets, too; after `machine` with vaults.
vaults() {
    read -r IMDS_BOOTSTRAP_VAULTS_ENDPOINT <&3
    read -r IMDS_BOOTSTRAP_VAULTS_CA_FILE <&3
    export IMDS_BOOTSTRAP_VAULTS_ENDPOINT IMDS_BOOTSTRAP_VAULTS_CA_FILE
}

# asked: how often the vaults were asked for a secret so far.
asked() { grep -c 'vault.azure.net/secrets/' requests || true; }

# agent CODE WORDS...: run the program below $root; it must exit with CODE.
agent() {
    local expected=$1 code=0
    shift
    imds-bootstrap --root "$root" "$@" >"$out" 2>"$err" || code=$?
    if [ "$code" != "$expected" ]; then
        fail "imds-bootstrap $*: exit code $code, not $expected"
    fi
    if grep -q 'Traceback (most recent' "$out" "$err"; then
        fail "imds-bootstrap $*: a traceback"
    fi
}

# prints TEXT, says TEXT: standard output, standard error holds this text.
prints() { grep -qF -- "$1" "$out" || fail "not printed: $1"; }
says() { grep -qF -- "$1" "$err" || fail "not said: $1"; }
never() { ! grep -qF -- "$1" "$out" "$err" || fail "should not be told: $1"; }

# holds PATH: a file of the machine is exactly standard input.
holds() { diff -u - "$root$1" >difference || fail "$1 differs: $(cat difference)"; }

# snapshot: everything below $root with its times, but for what is in /run.
snapshot() { (cd "$root" && find . -mindepth 1 -path ./run -prune -o -printf '%p %T@ %m %s\n' | sort); }
remember() { snapshot >before; }
untouched() { snapshot | diff before - >difference || fail "something changed: $(cat difference)"; }

fail() {
    echo "FAILED at line ${BASH_LINENO[1]} of the case: $*" >&2
    for stream in "$out" "$err"; do
        [ -f "$stream" ] && sed "s|^|  $(basename "$stream"): |" "$stream" >&2
    done
    exit 1
}
