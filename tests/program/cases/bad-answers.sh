# Answers that are none are asked again, and a run that needed that is a plain success.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.name }}\n"}
X
machine <<'X'
name: shop-01
rate: 0
faults:
  - html
  - {truncate: 100}
  - reset
  - {body: '{"compute": '}
  - {body: "[]"}
  - {status: 404}
  - {status: 408}
  - {status: 500}
X
agent 0 run --deadline 50
prints "configured: 1 file changed"
for outcome in html short reset not-json wrong-shape 404 408 500; do
    says "outcome=$outcome"
done
never warning
holds /etc/app/a <<<shop-01
agent 0 status
prints "status: configured"
prints "imds: 9 requests"
