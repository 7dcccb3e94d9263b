#!/usr/bin/env bash
# Runs a peer for as long as its starter lives.
#
#   guard.sh [--signal NAME] [--remove DIR] [--pid-file FILE] -- COMMAND [ARG...]
#
# The starter holds the other end of this script's standard input and never writes to it. When that pipe closes,
# because the starter asked for a stop, ended, or was killed with SIGKILL, the whole process group of the peer gets
# the signal (TERM unless told), five seconds later SIGKILL, and DIR is removed. So a killed test leaves neither a
# process nor a scratch folder behind. When the peer ends by itself, its exit code is passed on.
set -uo pipefail

signal=TERM
remove=
pid_file=
while [ "${1-}" != -- ]; do
  case "${1-}" in
    --signal) signal=$2; shift 2 ;;
    --remove) remove=$2; shift 2 ;;
    --pid-file) pid_file=$2; shift 2 ;;
    *) echo "guard.sh: unexpected argument '${1-}'" >&2; exit 64 ;;
  esac
done
shift

exec 3<&0
# setsid makes the peer the leader of its own group; bash has not made this child a leader, so no extra fork happens
# and $! is the group's id.
setsid "$@" </dev/null 3<&- &
peer=$!
if [ -n "$pid_file" ]; then echo "$peer" >"$pid_file"; fi
# Reading ends at end-of-file, which is the starter's way to say stop.
cat <&3 >/dev/null &
watch=$!
exec 3<&-

wait -n "$peer" "$watch"
first=$?
kill "$watch" 2>/dev/null

kill "-$signal" -- "-$peer" 2>/dev/null
for _ in $(seq 100); do
  kill -0 -- "-$peer" 2>/dev/null || break
  sleep 0.05
done
kill -KILL -- "-$peer" 2>/dev/null
if [ -n "$remove" ]; then
  rm -rf -- "$remove"
fi
exit "$first"
