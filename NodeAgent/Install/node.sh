#!/bin/sh
# Makes this machine a ClusterLlm node, and undoes it. It lies in the agent's archive; the Coordinator runs it over SSH, /join.sh runs it after a
# download, and it can be run by hand:
#
#   tar -xzf clusterllm-agent-….tar.gz node.sh node-services.sh
#   sudo sh node.sh install --archive clusterllm-agent-….tar.gz --sha256 … --token-file join-token
#   sudo sh node.sh start | stop | remove
#
# As root it installs a service of the system (launchd daemon, systemd unit) that starts at boot and runs as --user; without root one of the user.
# Answers are lines key=value on standard output; what went wrong is one line on standard error.
set -u
PATH=${CLUSTERLLM_NODE_PATH:-/usr/bin:/bin:/usr/sbin:/sbin}
LC_ALL=C
export PATH LC_ALL
umask 022

fail() {
  printf '%s\n' "$1" >&2
  exit "${2:-1}"
}

say() {
  printf '%s\n' "$1"
}

usage() {
  fail 'usage: node.sh install --archive FILE --sha256 HEX [--token-file FILE] [--user NAME] [--set KEY=VALUE]… | start | stop | remove   (all: [--root DIR] [--service KIND])' 64
}

is_root() {
  [ "$(id -u)" = 0 ]
}

sha256_of() {
  case $(uname -s) in Darwin) shasum -a 256 "$1" ;; *) sha256sum "$1" ;; esac | cut -c 1-64
}

. "$(dirname "$0")/node-services.sh"

# ---- steps

# Makes $root/run/text the file's content, unless it is that already.
replace_if_changed() { # file, mode
  if [ -f "$1" ] && cmp -s "$root/run/text" "$1"; then
    return 0
  fi
  mkdir -p "$(dirname "$1")" || fail "$(dirname "$1") can't be made."
  (umask 077 && cp "$root/run/text" "$1.new") || fail "$1 can't be written: is the disk full?"
  chmod "$2" "$1.new" && mv -f "$1.new" "$1" || fail "$1 can't be replaced."
  changed=yes
}

unpack() {
  [ -f "$archive" ] || fail "--archive is '$archive'; there is no such file."
  actual=$(sha256_of "$archive")
  [ "$actual" = "$sha256" ] || fail "The archive's SHA-256 is $actual and not $sha256: it was cut off or changed on its way. Nothing was installed."
  [ -x "$root/versions/$version/ClusterLlm.NodeAgent" ] && return 0
  rm -rf "$root/versions/.new"
  mkdir -p "$root/versions/.new" || fail "$root/versions can't be made."
  if ! message=$(tar -xzf "$archive" -C "$root/versions/.new" 2>&1); then
    rm -rf "$root/versions/.new"
    fail "The archive can't be unpacked into $root: $(printf '%s\n' "$message" | grep -m 1 -i 'no space' || printf '%s' "$message" | head -n 1). What was installed before is as it was."
  fi
  if is_root; then chown -R 0:0 "$root/versions/.new"; fi
  rm -rf "$root/versions/$version"
  mv "$root/versions/.new" "$root/versions/$version" || fail "$root/versions/$version can't be made."
}

# The version before stays until the next one comes, to go back by hand: ln -sfn versions/OLD current.
use_version() {
  previous=$(readlink "$root/current" 2>/dev/null || true)
  [ "$previous" = "versions/$version" ] && return 0
  ln -sfn "versions/$version" "$root/current" || fail "$root/current can't be made."
  changed=yes
  for old in "$root"/versions/*; do
    case $old in
      "$root/versions/$version" | "$root/$previous") ;;
      *) rm -rf "$old" ;;
    esac
  done
}

write_settings() {
  {
    printf '{\n%s' "$settings"
    printf '  "Node:JoinTokenFile": "%s/settings/join-token",\n' "$root"
    printf '  "Node:ModelDirectories:0": "%s/.clusterllm/models",\n  "Node:ModelDirectories:1": "%s/home/models"\n}\n' "$user_home" "$root"
  } >"$root/run/text" || fail "$root/run can't be written: is the disk full?"
  replace_if_changed "$root/settings/appsettings.json" 600
  [ -n "$token_file" ] || return 0
  # Never readable by others, not even for a moment, and never in a process's arguments.
  (umask 077 && cat "$token_file" >"$root/settings/join-token") || fail "The join token can't be written to $root/settings: is the disk full?"
}

install_node() {
  [ -n "$archive" ] || usage
  [ "${#sha256}" = 64 ] || fail "--sha256 is '$sha256'; it must be the archive's SHA-256, 64 hexadecimal digits." 64
  changed=no
  version=$(printf '%s' "$sha256" | cut -c 1-16)
  mkdir -p "$root/versions" "$root/settings" "$root/home" "$root/logs" "$root/run" || fail "$root can't be made."
  chmod 700 "$root/settings" "$root/home" "$root/run"
  : >"$root/.clusterllm-node" || fail "$root can't be written: is the disk full?"
  unpack
  use_version
  write_settings
  if is_root; then chown -R "$user" "$root/settings" "$root/home" "$root/logs" "$root/run"; fi
  service_text >"$root/run/text" || fail "$root/run can't be written: is the disk full?"
  # launchd refuses a daemon whose plist others than root own or may write.
  replace_if_changed "$(service_file)" 644
  rm -f "$root/run/text"
  say "service=$service"
  say "root=$root"
  say "version=$version"
  say "changed=$changed"
}

remove_node() {
  stop_node
  rm -f "$file"
  case $service in
    systemd) systemctl daemon-reload ;;
    systemd-user) systemctl --user daemon-reload ;;
  esac
  if [ -f "$root/.clusterllm-node" ]; then
    rm -rf "$root"
  elif [ -d "$root" ]; then
    fail "$root was not made by this script: nothing in it was removed."
  fi
  say "state=removed"
}

# ---- arguments

action=${1:-}
[ $# -gt 0 ] && shift
root= user= service= archive= sha256= token_file= settings= prefix=${CLUSTERLLM_NODE_PREFIX:-}
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --root) root=$2 ;;
    --user) user=$2 ;;
    --service) service=$2 ;;
    --archive) archive=$2 ;;
    --sha256) sha256=$2 ;;
    --token-file) token_file=$2 ;;
    --set)
      case $2 in
        *[!A-Za-z0-9\ .,:=/@\[\]_-]* | [!A-Za-z]* | *=) fail "--set '$2' must be KEY=VALUE of letters, digits and .,:/@[]_- only." 64 ;;
        *=*) settings="$settings  \"${2%%=*}\": \"${2#*=}\",
" ;;
        *) usage ;;
      esac
      ;;
    *) usage ;;
  esac
  shift 2
done

[ -n "$service" ] || service=$(find_service)
if [ -z "$user" ]; then
  if is_root; then user=${SUDO_USER:-root}; else user=$(id -un); fi
fi
case $user in '' | -* | *[!A-Za-z0-9._-]*) fail "--user is '$user'; it must be the name of an account on this machine." 64 ;; esac
id -u "$user" >/dev/null 2>&1 || fail "--user is '$user'; there is no such account on this machine."
user_home=$(eval "echo ~$user")
[ -n "$root" ] || { if is_root; then root=$prefix/opt/clusterllm; else root=$HOME/.clusterllm/installed; fi; }
case $root$user_home in *[\'\"\\\&\<\>\|]*) fail "The folders $root and $user_home must have no quotes, backslashes, &, <, > or | in their names." 64 ;; esac
case $root in /*/*) ;; *) fail "--root is '$root'; it must be an absolute path, not at the top." 64 ;; esac
file=$(service_file) || exit $?

case $action in
  install) install_node ;;
  start) start_node ;;
  stop) stop_node ;;
  remove) remove_node ;;
  *) usage ;;
esac
