# userData for cloud-init is left alone, unless the settings require one for us.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<'EOF'
userData: |
  #cloud-config
  packages: [nginx]
EOF
agent 0 run
says "cloud-init"
agent 66 --set user_data.required=true run --force
says "error[IB104]"
