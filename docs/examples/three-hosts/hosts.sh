#!/usr/bin/env bash
# Hosts to try things on: a shell that has them, or functions for scripts that source this file after `enter_sandbox`.
#
#   sudo docs/examples/three-hosts/hosts.sh a b c     a is 10.77.0.11, b 10.77.0.12, …; the shell itself is 10.77.0.1
#
#   on HOST COMMAND   runs a command there, in a folder of its own
#   unplug HOST       it loses its power: nobody hears of the end of its processes
#   plug HOST         the power is back; nothing runs yet
#
# They are network namespaces on a bridge, in a sandbox of their own: nothing of this machine is changed, and everything is
# gone with the shell, however it ends. Needs util-linux and iproute2, and root where users may not make namespaces.

# Starts a script again, inside.
enter_sandbox() { # script, arguments
  [ -z "${IN_SANDBOX:-}" ] || return 0
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(--user --map-root-user)
  PATH=$PATH:/usr/sbin:/sbin IN_SANDBOX=1 exec \
    unshare "${as_root[@]}" --net --mount --pid --fork --kill-child=KILL --mount-proc "$@"
}

make_hosts() { # names
  mount -t tmpfs tmpfs /run # `ip netns` keeps its names there
  ip link set lo up
  ip link add switch type bridge
  ip address add 10.77.0.1/24 dev switch
  ip link set switch up
  local name number=11
  for name in "$@"; do
    ip netns add "$name"
    ip link add "to-$name" type veth peer name eth0 netns "$name"
    ip link set "to-$name" master switch up
    ip -n "$name" link set lo up
    ip -n "$name" address add "10.77.0.$number/24" dev eth0
    ip -n "$name" link set eth0 up
    mkdir -p "/run/hosts/$name"
    number=$((number + 1))
  done
}

on() { # host, command
  (cd "/run/hosts/$1" && exec ip netns exec "$@")
}

unplug() { # host
  ip link set "to-$1" down # the cable first: a kernel that goes on would close the connections
  ip netns pids "$1" | xargs -r kill -9
}

plug() { # host
  ip link set "to-$1" up
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  [ $# -gt 0 ] || set -- a b c
  enter_sandbox "$0" "$@"
  make_hosts "$@"
  export -f on unplug plug
  root=$(cd -- "$(dirname -- "$0")/../../.." && pwd)
  export PATH=$root/bin:$root/node_modules/.bin:$PATH
  cd /run/hosts
  PS1='hosts$ ' bash --norc -i
fi
