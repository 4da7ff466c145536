# Settings are shown with where each comes from.
image agent.yaml <<'EOF'
deadline: 60
imds: {timeout: 2}
EOF
IMDS_BOOTSTRAP_PRUNE=true agent 0 --set imds.grace=7 show settings --origin
prints "# /etc/imds-bootstrap/agent.yaml:1:11"
prints "imds.timeout = 2"
prints "# environment IMDS_BOOTSTRAP_PRUNE"
prints "# --set imds.grace"
prints "# default"
agent 0 --format json show settings
prints '"deadline": 60'
image agent.yaml <<<"deadlin: 60"
machine <<<'name: shop-01'
agent 78 run
says "agent.yaml:1:1"
says "did you mean deadline?"
