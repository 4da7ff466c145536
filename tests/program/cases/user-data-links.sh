# userData places no file outside of its folders by a link in the image; what the image says, it may.
image templates/job <<<'job'
mkdir -p "$root/etc/cron.d" "$root/srv"
ln -s /etc/cron.d "$root/srv/out"
image agent.yaml <<<'user_data: {paths: [/srv]}'
document() { printf '#imds-bootstrap\nversion: 1\nfiles: [{path: /srv/out/%s, %s}]\n' "$1" "$2"; }
user_data() { machine <<Y
rate: 0
userData: |
$(document "$1" "$2" | sed 's/^/  /')
Y
}
user_data job 'template: job'
remember
agent 73 plan
agent 73 run
says "userData:3:9  /srv/out/job"
says "the link /srv/out → /etc/cron.d"
[ -z "$(ls "$root/etc/cron.d")" ] || fail "it is there"
# Nor does it get there by a say in a file of the image's.
image config.d/10-app.yaml <<<'{version: 1, files: [{path: /srv/out/mine, template: job}]}'
user_data mine 'mode: "0600"'
agent 73 run
says "the link /srv/out → /etc/cron.d"
machine <<<'rate: 0'
agent 0 run
holds /etc/cron.d/mine <<<job
