# status and get need no root; what does need it says so and exits 77.
[ "$(id -u)" = 0 ] || { echo "only root can become somebody else" >&2; exit 77; }
root=$(mktemp -d) # the folders of the tests are closed to others
chmod 0755 "$root"
image config.d/10-app.yaml <<'X'
version: 1
values: {port: 80}
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'{rate: 0, tags: {Role: web}}'
trap 'kill "$emulator"; wait "$emulator" || true; rm -rf "$root"' EXIT

# The interpreter of the tests may lie where nobody else can read it; any other one will do.
interpreter=$(head -n 1 "$(command -v imds-bootstrap)")
interpreter=${interpreter#\#!}
packages=$("$interpreter" -c 'import bootstrap, os, yaml; print(*(os.path.dirname(os.path.dirname(one.__file__)) for one in (bootstrap, yaml)), sep=":")')
nobody() {
    local expected=$1 code=0 python
    shift
    for python in "$interpreter" /usr/bin/python3; do
        as_nobody "$python" -c 'import bootstrap, yaml, json' 2>/dev/null && break
    done || { echo "no Python that nobody may run" >&2; exit 77; }
    as_nobody "$python" -m bootstrap --root "$root" "$@" >"$out" 2>"$err" || code=$?
    [ "$code" = "$expected" ] || fail "as nobody, $*: exit code $code, not $expected"
    never Traceback
}
as_nobody() {
    (cd / && setpriv --reuid 65534 --regid 65534 --clear-groups \
        env PYTHONPATH="${PYTHONPATH:-}:$packages" "$@")
}
nobody 3 status
nobody 77 run
says "error[IB003]"
says "run it as root"
[ ! -e "$root/etc/app" ] || fail "something was written"
agent 0 run
nobody 0 status
prints "status: configured"
nobody 0 get tags.Role
prints web
nobody 77 plan
says "error[IB003]"
nobody 77 run
nobody 77 clean
agent 0 verify
chmod 0700 "$root/etc/imds-bootstrap/config.d"
nobody 77 get values.port
says "reading /etc/imds-bootstrap/config.d of the image: Permission denied"
nobody 0 get tags.Role
chmod 0755 "$root/etc/imds-bootstrap/config.d"
chmod 0600 "$root/etc/imds-bootstrap/config.d/10-app.yaml"
nobody 77 get values.port
chmod 0700 "$root/run/imds-bootstrap"
nobody 77 status
says "reading the status"
