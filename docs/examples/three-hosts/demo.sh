#!/usr/bin/env bash
# Three hosts with an app each, heimdall in front of them, and clients. Every second one line tells who has answered.
# Then one host loses its power, and gets it back.
#
#   sudo docs/examples/three-hosts/demo.sh            until Ctrl-C
#   sudo docs/examples/three-hosts/demo.sh --once     one round
#
# The hosts are made as hosts.sh tells: nothing of this machine is changed, and everything is gone when the script ends.
set -euo pipefail

here=$(cd -- "$(dirname -- "$0")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
heimdall=$root/bin/heimdall
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node

# shellcheck source=docs/examples/three-hosts/hosts.sh
. "$here/hosts.sh"
enter_sandbox "$0" "$@"

rounds=forever
for argument in "$@"; do
  case $argument in
    --once) rounds=one ;;
    *) echo "unknown argument $argument; known is --once" >&2; exit 2 ;;
  esac
done

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

make_hosts front app1 app2 app3
front=10.77.0.11

run() { # host, command: in the background; what it writes goes to a file
  on "$@" >>"/run/hosts/$1/log" 2>&1 &
  disown
}

start_app() { # host: an app, and the agent that announces it
  run "$1" env PORT=8080 HOST=0.0.0.0 SERVER_NAME="$1" "$node" "$root/cmd/test-server/main.ts"
  run "$1" env HEIMDALL_TOKEN="$token" "$heimdall" agent --app web=8080 --node "$1" --manager "http://$front:7000"
}

# --- heimdall in front

token=only-for-this-demonstration
cat >/run/hosts/front/config.json <<JSON
{
  "manager": { "host": "$front", "token": "$token" },
  "proxy": { "timeouts": { "connect": "500ms", "responseHead": "1s" }, "accessLog": null },
  "services": [
    {
      "name": "web",
      "agents": true,
      "slowStart": "3s",
      "healthCheck": { "interval": "200ms", "timeout": "300ms", "fall": 2 }
    }
  ]
}
JSON

say 'heimdall on host front, an app and an agent on each of app1, app2, app3'
run front "$heimdall" up
for name in app1 app2 app3; do start_app "$name"; done
for name in app1 app2 app3; do
  until grep -q 'is announced' "/run/hosts/$name/log"; do sleep 0.1; done
done

# --- traffic

"$node" "$here/traffic.ts" "http://$front:8080/" app1 app2 app3 &
sleep 5

while true; do
  for name in app2 app3 app1; do
    say "$name loses its power: no FIN, no RST, silence"
    unplug "$name"
    sleep 6
    say "$name is back: its app starts, its agent announces it, its share grows"
    plug "$name"
    start_app "$name"
    sleep 10
    [ "$rounds" = forever ] || exit 0
  done
done
