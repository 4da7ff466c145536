# With every proxy variable set, no request goes to the proxy.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'name: shop-01'
mkfifo proxy
python3 -u - >proxy <<'X' &
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
listener.accept()
open("asked", "w").close()
X
listener=$!
read -r port <proxy
for name in http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; do
    export "$name=http://127.0.0.1:$port"
done
agent 0 run
prints "configured: 1 file changed"
agent 0 get instance.compute.name
prints shop-01
kill -0 "$listener" || fail "the listener has ended"
kill "$listener"
[ ! -e asked ] || fail "the proxy was asked"
