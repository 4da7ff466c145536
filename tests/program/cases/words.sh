# --quiet tells of warnings and errors only, -v of every step; colours come when they are wanted.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<'X'
rate: 0
userData: |
  #cloud-config
X
escape=$'\x1b['
agent 0 --quiet run
never imds.ready
never file.create
says "warning: userData holds"
prints configured
agent 0 -v run --force
says run.unchanged
machine <<'X'
rate: 0
userData: "version: 2"
X
agent 65 -q run
says "error[IB105]"
never "$escape"
agent 65 --color always run
says "$escape"
agent 65 run --color always
says "$escape"
NO_COLOR=1 agent 65 --color always run # the flag is nearer than the environment
says "$escape"
in_terminal() { script --quiet --return --command "imds-bootstrap --root '$root' $*" /dev/null >"$out" </dev/null || true; }
if command -v script >/dev/null; then
    TERM=xterm in_terminal run
    prints "$escape"
    TERM=xterm NO_COLOR=1 in_terminal run
    prints "error[IB105]"
    TERM=dumb in_terminal run
    prints "error[IB105]"
    TERM=xterm in_terminal --color never run
    prints "error[IB105]"
fi
