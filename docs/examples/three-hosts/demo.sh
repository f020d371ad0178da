#!/usr/bin/env bash
# Three hosts with an app each, heimdall in front of them, and clients. Every second one line tells who has answered.
# Then one host loses its power, and gets it back.
#
#   sudo docs/examples/three-hosts/demo.sh            until Ctrl-C
#   sudo docs/examples/three-hosts/demo.sh --once     one round
#
# The hosts are network namespaces on a bridge, in a sandbox of their own: nothing of this machine is changed, and everything
# is gone when the script ends, however it ends. Needs util-linux and iproute2, and root where users may not make namespaces.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../../.." && pwd)
heimdall=$root/bin/heimdall
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node

if [ -z "${IN_SANDBOX:-}" ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(--user --map-root-user)
  exec env IN_SANDBOX=1 unshare "${as_root[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc "$0" "$@"
fi

rounds=forever
for argument in "$@"; do
  case $argument in
    --once) rounds=one ;;
    *) echo "unknown argument $argument; known is --once" >&2; exit 2 ;;
  esac
done

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# --- hosts: front is 10.77.0.10, app1 to app3 are 10.77.0.11 to 10.77.0.13; the clients are on the switch itself

mount -t tmpfs tmpfs /run # `ip netns` keeps its names there
ip link set lo up
ip link add switch type bridge
ip address add 10.77.0.1/24 dev switch
ip link set switch up

host() { # name, address
  ip netns add "$1"
  ip link add "to-$1" type veth peer name eth0 netns "$1"
  ip link set "to-$1" master switch up
  ip -n "$1" link set lo up
  ip -n "$1" address add "$2/24" dev eth0
  ip -n "$1" link set eth0 up
  mkdir -p "/run/$1"
}

on() { # host, command: runs it there in the background, and what it writes goes to a file
  local name=$1
  shift
  (cd "/run/$name" && exec ip netns exec "$name" "$@" >>"/run/$name/log" 2>&1) &
  disown
}

start_app() { # host: an app, and the agent that announces it
  on "$1" env PORT=8080 HOST=0.0.0.0 SERVER_NAME="$1" "$node" "$root/cmd/test-server/main.ts"
  on "$1" env HEIMDALL_TOKEN="$token" "$heimdall" agent --app web=8080 --node "$1" --manager http://10.77.0.10:7000
}

power_off() { # host: the cable first, so that nobody hears of the end of its processes
  ip link set "to-$1" down
  ip netns pids "$1" | xargs -r kill -9
}

host front 10.77.0.10
host app1 10.77.0.11
host app2 10.77.0.12
host app3 10.77.0.13

# --- heimdall in front

export token=only-for-this-demonstration
cat >/run/front/config.json <<JSON
{
  "manager": { "host": "10.77.0.10", "token": "$token" },
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
on front "$heimdall" up
for name in app1 app2 app3; do start_app "$name"; done
for name in app1 app2 app3; do
  until grep -q 'is announced' "/run/$name/log"; do sleep 0.1; done
done

# --- traffic

"$node" "$root/docs/examples/three-hosts/traffic.ts" http://10.77.0.10:8080/ app1 app2 app3 &
sleep 5

while true; do
  for name in app2 app3 app1; do
    say "$name loses its power: no FIN, no RST, silence"
    power_off "$name"
    sleep 6
    say "$name is back: its app starts, its agent announces it, its share grows"
    ip link set "to-$name" up
    start_app "$name"
    sleep 10
    [ "$rounds" = forever ] || exit 0
  done
done
