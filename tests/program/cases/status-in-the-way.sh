# A pipe, a device, a folder or a link in the place of status.json neither holds up nor misleads anybody.
machine <<<'rate: 0'
image config.d/10-app.yaml <<<'{version: 1, files: [{path: /etc/app/a, content: "one\n"}]}'
agent 0 run
at=$root/run/imds-bootstrap/status.json
rm "$at" && mkfifo "$at"
agent 3 status
prints "not run since"
agent 3 status --wait --timeout 0.5
rm "$at" && ln -s /dev/zero "$at"
agent 3 status
rm "$at" && mkdir "$at"
agent 3 status
agent 0 run
prints "unchanged"
rmdir "$at" && mkfifo "$at"
agent 0 run
agent 0 status
prints "status: unchanged"
