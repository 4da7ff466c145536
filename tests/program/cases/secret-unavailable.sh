# A vault that does not answer leaves a configured machine as it is, and fails a first boot.
image config.d/10-app.yaml <<'END'
version: 1
secrets: {api: {vault: contoso-prod, name: api-key}}
files:
  - {path: /etc/app/api, content: "key={{ secrets.api }}\n"}
END
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: first}, faults: [{status: 503, times: forever}]}}
END
vaults
agent 75 run --deadline 2
says "error[IB303]"
says "the last answer for api-key in contoso-prod was 503"
[ ! -e "$root/etc/app/api" ] || fail "written without its secret"
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: first}}}
END
agent 0 run
remember
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: second}, faults: [{status: 503, times: forever}]}}
END
agent 0 run --deadline 2
prints "kept"
untouched
agent 75 --set on_unavailable=fail run --deadline 2
untouched
