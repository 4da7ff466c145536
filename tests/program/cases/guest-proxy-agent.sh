# 403 is taken for a guest proxy agent that still starts, then for what it is, with words of its own.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'faults: [{status: 403, times: 2}, {status: 421}, {status: 401}]'
agent 0 run --deadline 30
machine <<<'faults: [{status: 403, times: forever}]'
agent 69 --set imds.grace=1 --set on_unavailable=fail run --deadline 30
says "error[IB202]"
says "403"
says "guest proxy agent"
agent 1 --format json status
python3 -c 'import json, sys
assert json.load(open(sys.argv[1]))["seconds"] < 10' "$out" || fail "the grace was not kept"
