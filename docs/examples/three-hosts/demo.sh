#!/usr/bin/env bash
# Three hosts with an app each, heimdall in front of them, and clients. Every second one line tells who has answered.
# Then one host loses its power, and gets it back.
#
#   sudo docs/examples/three-hosts/demo.sh            until Ctrl-C
#   sudo docs/examples/three-hosts/demo.sh --once     one round
#   … --with nginx                                    nginx in front, whose servers `heimdall sync nginx` keeps true
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
with=heimdall
while [ $# -gt 0 ]; do
  case $1 in
    --once) rounds=one ;;
    --with) with=${2:-}; shift ;;
    *) echo "unknown argument $1; known are --once and --with nginx" >&2; exit 2 ;;
  esac
  shift || break
done
case $with in
  heimdall) ;;
  nginx) command -v nginx >/dev/null || { echo 'nginx is not installed: apt-get install nginx' >&2; exit 2; } ;;
  *) echo "--with $with: known is nginx" >&2; exit 2 ;;
esac

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
  "proxy": { "timeouts": { "connect": "500ms" }, "accessLog": null },
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

use_nginx() {
  cat >/run/hosts/front/nginx.conf <<'NGINX'
daemon off;
worker_processes 1;
pid /run/hosts/front/nginx.pid;
error_log /run/hosts/front/nginx.log;
events {}
http {
  access_log off;
  include /run/hosts/front/upstreams.conf;
  server {
    listen 8080;
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout 1s;
      proxy_read_timeout 1s;
    }
  }
}
NGINX
  local nginx='nginx -c /run/hosts/front/nginx.conf -e /run/hosts/front/nginx.log'
  run front "$heimdall" manager
  until grep -q 'manager API on' /run/hosts/front/log; do sleep 0.1; done
  on front "$heimdall" sync nginx --once --out upstreams.conf --test true --reload true >>/run/hosts/front/log 2>&1
  # shellcheck disable=SC2086 # a command and its arguments
  run front $nginx
  run front "$heimdall" sync nginx --out upstreams.conf --pid-file nginx.pid --test "$nginx -t" --reload "$nginx -s reload"
}

say "$with on host front, an app and an agent on each of app1, app2, app3"
if [ "$with" = nginx ]; then use_nginx; else run front "$heimdall" up; fi
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
