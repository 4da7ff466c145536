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
agent 1 run --deadline 2
[ "$SECONDS" -le 3 ] || fail "it took $SECONDS s"
says "(the run's deadline has passed)"
says "on the old files was not started, for no time was left"
never "within 0 s"
holds /etc/app/a <<<old
[ "$(cat heard)" = slow ] || fail "heard $(cat heard)"
handlers true
agent 0 run
holds /etc/app/a <<<new
[ "$(paste -sd, heard)" = slow,slow,next ] || fail "heard $(cat heard)"
