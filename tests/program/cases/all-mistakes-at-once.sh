# Two missing names in two templates and a wrong mode in userData: one run tells all three.
image config.d/10-app.yaml <<'EOF'
version: 1
values: {web: {port: 80, server_name: shop}}
files:
  - {path: /etc/app/one, template: one.j2}
  - {path: /etc/app/two, template: two.j2}
EOF
image templates/one.j2 <<'EOF'
listen {{ values.web.prot }}
EOF
image templates/two.j2 <<'EOF'
# two
name {{ values.web.server_nam }}
EOF
machine <<'EOF'
userData: |
  #imds-bootstrap
  version: 1
  files:
    - path: /etc/app/one
      mode: 0644
EOF
remember
agent 65 run
says "userData:5:11  files[0].mode"
says "420 is not a string"
says 'quote it: mode: "0644"   (YAML reads 0644 as the number 420)'
says "/etc/imds-bootstrap/templates/one.j2:1"
says "values.web.port"
says "/etc/imds-bootstrap/templates/two.j2:2"
says "values.web.server_name"
untouched
