# A run that is told to stop puts the old files back, ends its command and says so; the next goes on.
stop() { # SIGNAL CODE: a run that gets this signal while its check is at work ends with this code
    rm -f at-work
    image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "$1\n", check: [sh, -c, "echo \$\$ >$PWD/at-work; exec sleep 60"]}
  - {path: /etc/app/b, content: "$1\n"}
X
    # A shell starts what is in the background deaf to SIGINT.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execvp(sys.argv[1], sys.argv[1:])' imds-bootstrap --root "$root" run 2>"$err" &
    victim=$!
    until [ -s at-work ]; do sleep 0.05; done
    holds /etc/app/b <<<"$1"
    kill "-$1" "$victim"
    code=0
    wait "$victim" || code=$?
    [ "$code" = "$2" ] || fail "SIG$1: exit code $code"
    ! kill -0 "$(cat at-work)" 2>>"$out" || fail "its check is still at work"
    holds /etc/app/a <<<old
    [ "$(ls -A "$root/etc/app")" = a ] || fail "something is left: $(ls -A "$root/etc/app")"
    [ ! -e "$root/var/lib/imds-bootstrap/journal.json" ] || fail "it is not settled"
    says "run.interrupted signal=SIG$1 stage=apply"
    agent 1 status
    prints "interrupted: by SIG$1 during apply"
    agent 1 --format json status
    prints '"result": "interrupted"'
    never KeyboardInterrupt
}
machine <<<'rate: 0'
mkdir -p "$root/etc/app"
echo old >"$root/etc/app/a"
stop TERM 143
stop HUP 129
stop INT 130
# Nor does it leave new files to handlers that had no time to hear of them.
rm -f at-work
image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "newer\n", notify: [app]}
handlers: {app: [sh, -c, "echo \$\$ >$PWD/at-work; exec sleep 60"]}
X
imds-bootstrap --root "$root" run 2>"$err" &
victim=$!
until [ -s at-work ]; do sleep 0.05; done
holds /etc/app/a <<<newer
kill -TERM "$victim"
code=0
wait "$victim" || code=$?
[ "$code" = 143 ] || fail "exit code $code"
holds /etc/app/a <<<old
[ "$(ls -A "$root/etc/app")" = a ] || fail "something is left: $(ls -A "$root/etc/app")"
agent 0 plan
prints "notify      app"
image config.d/10-app.yaml <<<'{version: 1, files: [{path: /etc/app/a, content: "new\n"}]}'
agent 0 run
never warning
holds /etc/app/a <<<new
