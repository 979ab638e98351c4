#!/bin/sh
# Makes this machine a node of a ClusterLlm cluster. Made by that cluster's Coordinator; the command that downloads it has compared its hash.
# The join token comes on standard input, the Coordinator's address as the only argument.
set -u
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export PATH
umask 077

# Of the cluster's certificate authority, as it stands in the cluster's tokens.
authority=@AUTHORITY@

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

from=${1:-}
case $from in http://?* | https://?*) ;; *) fail 'usage: join.sh https://COORDINATOR:PORT, with the token on standard input' ;; esac
read -r token || fail 'There is no join token on standard input. Copy the command again, whole.'
case $token in
  cllm1-*-*-*-*-*) ;;
  *) fail 'This is no join token, or a part of one. Copy the command again, whole.' ;;
esac
[ "$(printf '%s' "$token" | cut -d - -f 4)" = "$authority" ] || fail 'The token is for another cluster than this script. Copy the command again, whole.'

platform="$(uname -s) $(uname -m)"
# A shell under Rosetta says x86_64 on Apple silicon.
[ "$platform" = 'Darwin x86_64' ] && [ "$(sysctl -in sysctl.proc_translated 2>/dev/null)" = 1 ] && platform='Darwin arm64'
case $platform in
@AGENTS@
  *) fail "There is no agent for $platform here. Publish it on the Coordinator's machine (node package) and make a new command." ;;
esac

folder=$(mktemp -d) || fail 'No temporary folder could be made.'
trap 'rm -rf "$folder"' EXIT
echo "Downloading the agent for $agent…"
# The certificate is not looked at: what counts is the archive's hash, which came with this script.
curl -fSs -k -o "$folder/agent.tar.gz" "$from/join/agents/$agent" || fail "The agent could not be downloaded from $from."
case $(uname -s) in
  Darwin) actual=$(shasum -a 256 "$folder/agent.tar.gz" | cut -c 1-64) ;;
  *) actual=$(sha256sum "$folder/agent.tar.gz" | cut -c 1-64) ;;
esac
[ "$actual" = "$sha256" ] || fail "The archive's SHA-256 is $actual and not $sha256. Nothing of it was run. Make a new command: the agent was published again, or something changed it on its way."
tar -xzf "$folder/agent.tar.gz" -C "$folder" node.sh node-services.sh || fail 'The archive could not be opened.'
printf '%s\n' "$token" >"$folder/join-token"

sudo=
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -p "Password for sudo, to install a service that starts at boot: " -v; then
    sudo=sudo
  else
    echo 'Without sudo a service of this account is installed: it starts at login only, and macOS may keep it away from the local network.'
  fi
fi
$sudo sh "$folder/node.sh" install --archive "$folder/agent.tar.gz" --sha256 "$sha256" --user "$(id -un)" --token-file "$folder/join-token" --set Node:ListenAddress=0.0.0.0 || exit 1
$sudo sh "$folder/node.sh" start || exit 1
echo 'The node is started; it is in the list of nodes as soon as it has joined.'
