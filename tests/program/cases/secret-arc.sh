# A machine of Azure Arc finds its agent, answers its challenge, and gets its secret.
image config.d/10-app.yaml <<'END'
version: 1
secrets: {api: {vault: contoso-prod, name: api-key}}
files:
  - {path: /etc/app/api, content: "key={{ secrets.api }}\n"}
END
tokens=/var/opt/azcmagent/tokens
mkdir -p "$root$tokens"
machine <<END
rate: 0
arc: {tokens: $root$tokens, announced: $tokens}
vaults: {contoso-prod: {secrets: {api-key: sesame}}}
END
vaults
export IMDS_ENDPOINT=$IMDS_BOOTSTRAP_IMDS_ENDPOINT
export IDENTITY_ENDPOINT=$IMDS_ENDPOINT/metadata/identity/oauth2/token
unset IMDS_BOOTSTRAP_IMDS_ENDPOINT
agent 0 -v run
holds /etc/app/api <<<"key=sesame"
agent 0 run
prints "unchanged"
agent 0 get instance.compute.name
