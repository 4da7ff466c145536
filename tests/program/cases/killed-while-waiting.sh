# A run that is killed while it waits leaves nothing in the way of the next.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<'EOF'
faults: [{times: forever, status: 503}]
EOF
imds-bootstrap --root "$root" run 2>waiting &
victim=$!
until grep -q imds.retry waiting; do sleep 0.05; done
agent 3 status
prints "status: running"
agent 75 run --deadline 1 # one run at a time
says "error[IB004]"
says "process $victim"
agent 3 status
kill -KILL "$victim"
wait "$victim" || true
agent 1 status
prints "status: interrupted"
machine <<<'name: shop-01'
agent 0 run
prints configured
agent 0 status --wait --timeout 5
