# An old IMDS is asked in its own words, and what it cannot say is told, never dropped in silence.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.name }} {{ environment }}\n"}
environments: {prod: {}}
environment: prod
X
known() {
    machine <<X
name: shop-01
rate: 0
apiVersions: ["$1"]
tags: {Role: web}
userData: "{version: 1}"
X
}
known 2021-02-01
agent 0 run
says "api_version=2021-02-01"
never warning
holds /etc/app/a <<<"shop-01 prod"
known 2020-09-01
agent 0 run
says "api-version 2020-09-01, which has no userData"
never "list of tags"
agent 0 get tags.Role
prints web
known 2019-03-11
agent 0 run
says "api-version 2019-03-11, which has no userData"
says "api-version 2019-03-11, which has no list of tags"
agent 1 get tags.Role
