#!/bin/sh
# lab.sh COMMAND…: runs a command in a network of its own, with a bridge br0 (10.77.0.1/24) and a machine's port tap0
# in it. Nothing of it is seen outside, and all of it goes with the command.
set -eu
if [ "${LAB_INSIDE:-}" != yes ]; then
  user=""
  [ "$(id -u)" = 0 ] || user="--user --map-root-user"
  # shellcheck disable=SC2086
  LAB_INSIDE=yes exec unshare $user --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
ip link set lo up
ip link add br0 type bridge
ip address add 10.77.0.1/24 dev br0
ip tuntap add dev tap0 mode tap
ip link set tap0 master br0 up
ip link set br0 up
exec "$@"
