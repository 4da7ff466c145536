# The run's deadline ends its commands too; what it leaves no time for is not started, but stays due.
handlers() { # WORDS: the first of two handlers
    image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "new\n", notify: [slow, next]}
handlers:
  slow: [sh, -c, "echo slow >>$PWD/heard; $1"]
  next: [sh, -c, "echo next >>$PWD/heard"]
X
}
machine <<<'rate: 0'
mkdir -p "$root/etc/app"
echo old >"$root/etc/app/a"
handlers 'exec sleep 60'
SECONDS=0
agent 75 run --deadline 2
[ "$SECONDS" -le 3 ] || fail "it took $SECONDS s"
says "error[IB005] the deadline passed while a command was at work"
says "(the run's deadline has passed)"
says "on the old files was not started, for no time was left"
never "within 0 s"
holds /etc/app/a <<<old
[ "$(cat heard)" = slow ] || fail "heard $(cat heard)"
handlers true
agent 0 run
holds /etc/app/a <<<new
[ "$(paste -sd, heard)" = slow,slow,next ] || fail "heard $(cat heard)"

# A handler that fails by itself is the failure, however long the old files then take.
image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "newer\n", notify: [fails]}
handlers:
  fails: [sh, -c, "grep -q newer $root/etc/app/a || exec sleep 60; exit 3"]
X
agent 1 run --deadline 2
says "error[IB503]"
says "ended with status 3"
holds /etc/app/a <<<new
# A check that is cut was cut by the deadline, too.
image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "newer\n", check: [sh, -c, "exec sleep 60", "{path}"]}
X
agent 75 run --deadline 2
holds /etc/app/a <<<new
agent 1 --format json status
prints '"exit_code": 75'
