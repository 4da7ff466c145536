# The settings say which tags speak: the environment's, the prefix, the paths, existing names.
image config.d/10-app.yaml <<'X'
version: 1
values: {web: {port: 80}, log: {level: info}, billing: {}}
files:
  - {path: /etc/app/a, content: "{{ environment }} {{ values | to_json }}\n"}
environments:
  prod: {values: {log: {level: warning}}}
X
image agent.yaml <<'X'
tags:
  environment: Stage
  prefix: "app/"
  paths: [web.port, billing.*]
  map: {CostCenter: billing.center}
X
image values.schema.json <<'X'
{"properties": {"web": {"properties": {"port": {"type": "integer"}}}}}
X
machine <<'X'
rate: 0
tags: {STAGE: PROD, "APP/web.port": "8443", costcenter: "4711", environment: other}
X
agent 0 run
holds /etc/app/a <<'X'
prod {"web": {"port": 8443}, "log": {"level": "warning"}, "billing": {"center": "4711"}}
X
agent 0 show config --origin
prints "values.web.port = 8443"
prints "# tag APP/web.port"
prints "# tag costcenter"
machine <<'X'
rate: 0
tags: {Stage: prod, "app/log.level": debug}
X
remember
agent 65 run
says "tag app/log.level"
says "tags.paths"
untouched
