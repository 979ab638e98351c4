# Part of node.sh: what a service manager is told, and how a service is started and stopped. Uses its variables: service, root, user, user_home, file.

label=org.clusterllm.node
unit=clusterllm-node.service

find_service() {
  case $(uname -s) in
    Darwin) if is_root; then echo launchd-daemon; else echo launchd-agent; fi ;;
    *)
      if [ ! -d /run/systemd/system ]; then
        echo process
      elif is_root; then
        echo systemd
      elif systemctl --user show-environment >/dev/null 2>&1; then
        echo systemd-user
      else
        echo process
      fi
      ;;
  esac
}

# The domain of a logged-in user, or, where nobody is logged in at the screen (125), the one that every user has.
launchd_domain() {
  case $service in
    launchd-daemon) echo system ;;
    *) if launchctl print "gui/$(id -u)" >/dev/null 2>&1; then echo "gui/$(id -u)"; else echo "user/$(id -u)"; fi ;;
  esac
}

service_file() {
  case $service in
    launchd-daemon) echo "$prefix/Library/LaunchDaemons/$label.plist" ;;
    launchd-agent) echo "$HOME/Library/LaunchAgents/$label.plist" ;;
    systemd) echo "$prefix/etc/systemd/system/$unit" ;;
    systemd-user) echo "$HOME/.config/systemd/user/$unit" ;;
    process) echo "$root/run.sh" ;;
    *) fail "--service is '$service'; it must be launchd-daemon, launchd-agent, systemd, systemd-user or process." 64 ;;
  esac
}

# ---- definitions

xml() {
  printf '%s' "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g'
}

# Interactive: a job of kind Background gets less CPU and disk. 256 open files, launchd's default, are too few for many streams.
launchd_plist() {
  cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>$label</string>
  <key>ProgramArguments</key><array><string>$(xml "$root/current/ClusterLlm.NodeAgent")</string></array>
  <key>WorkingDirectory</key><string>$(xml "$root/settings")</string>
END
  if [ "$service" = launchd-daemon ]; then
    printf '  <key>UserName</key><string>%s</string>\n' "$(xml "$user")"
  else
    printf '  <key>LimitLoadToSessionType</key><array><string>Aqua</string><string>Background</string></array>\n'
  fi
  cat <<END
  <key>EnvironmentVariables</key>
  <dict>
    <key>CLUSTERLLM_HOME</key><string>$(xml "$root/home")</string>
    <key>HOME</key><string>$(xml "$user_home")</string>
    <key>PATH</key><string>/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin</string>
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>ThrottleInterval</key><integer>10</integer>
  <key>ExitTimeOut</key><integer>20</integer>
  <key>ProcessType</key><string>Interactive</string>
  <key>SoftResourceLimits</key><dict><key>NumberOfFiles</key><integer>8192</integer></dict>
  <key>StandardOutPath</key><string>$(xml "$root/logs/agent.log")</string>
  <key>StandardErrorPath</key><string>$(xml "$root/logs/agent.log")</string>
</dict>
</plist>
END
}

systemd_unit() {
  cat <<END
[Unit]
Description=ClusterLlm node
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$root/current/ClusterLlm.NodeAgent
WorkingDirectory=$root/settings
Environment=CLUSTERLLM_HOME=$root/home
StandardOutput=append:$root/logs/agent.log
StandardError=append:$root/logs/agent.log
Restart=always
RestartSec=2
TimeoutStopSec=20
LimitNOFILE=65536
END
  if [ "$service" = systemd ]; then
    printf 'User=%s\nNoNewPrivileges=true\n\n[Install]\nWantedBy=multi-user.target\n' "$user"
  else
    printf '\n[Install]\nWantedBy=default.target\n'
  fi
}

# Where there is neither launchd nor systemd: restarts the agent when it dies, but nothing starts this loop at boot.
process_loop() {
  cat <<END
#!/bin/sh
cd '$root/settings' || exit 1
CLUSTERLLM_HOME='$root/home'
HOME='$user_home'
export CLUSTERLLM_HOME HOME
echo \$\$ > '$root/run/loop.pid'
child=
trap 'trap - TERM; [ -n "\$child" ] && kill -TERM "\$child" && wait "\$child"; rm -f "$root/run/loop.pid"; exit 0' TERM INT
while :; do
  '$root/current/ClusterLlm.NodeAgent' >>'$root/logs/agent.log' 2>&1 &
  child=\$!
  wait "\$child"
  sleep 2 &
  child=\$!
  wait "\$child"
done
END
}

service_text() {
  case $service in
    launchd-*) launchd_plist ;;
    systemd*) systemd_unit ;;
    process) process_loop ;;
  esac
}

# ---- starting and stopping

wait_until() { # tries of half a second each, command…
  tries=$1
  shift
  while ! "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.5
  done
}

launchd_absent() {
  ! launchctl print "$domain/$label" >/dev/null 2>&1
}

# Exit code 5 has many causes, and some jobs are loaded in spite of it; what print says counts.
launchd_load() {
  message=$(launchctl bootstrap "$domain" "$file" 2>&1)
  ! launchd_absent
}

# 3 and 113: it was not loaded.
launchd_stop() {
  message=$(launchctl bootout "$domain/$label" 2>&1) || case $? in
    3 | 113) ;;
    *) launchd_absent || sleep 1 ;;
  esac
  # The old job is torn down after bootout has answered; a bootstrap in that time fails with 5.
  wait_until 40 launchd_absent || fail "launchd does not let go of $label: $message"
}

launchd_start() {
  launchd_stop
  launchctl enable "$domain/$label" 2>/dev/null
  wait_until 20 launchd_load || fail "launchd does not load $file: $message"
}

loop_pid() {
  pid=$(cat "$root/run/loop.pid" 2>/dev/null) && [ -n "$pid" ] && grep -q "$root/run.sh" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

loop_absent() {
  [ -z "$(loop_pid)" ]
}

loop_present() {
  ! loop_absent
}

process_stop() {
  loop_absent && return 0
  kill -TERM "$(loop_pid)"
  wait_until 40 loop_absent && return 0
  # The agent ends itself after 8 s; one that did not is stuck.
  pid=$(loop_pid)
  for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -KILL "$child"; done
  kill -KILL "$pid"
  rm -f "$root/run/loop.pid"
}

process_start() {
  process_stop
  if is_root && [ "$user" != root ]; then
    setsid su -s /bin/sh "$user" -c "exec /bin/sh '$root/run.sh'" </dev/null >/dev/null 2>&1 &
  else
    setsid /bin/sh "$root/run.sh" </dev/null >/dev/null 2>&1 &
  fi
  wait_until 20 loop_present || fail "The node's loop $root/run.sh does not start; its last words are in $root/logs/agent.log."
}

start_node() {
  [ -f "$file" ] || fail "There is no $file: install first."
  case $service in
    launchd-*) domain=$(launchd_domain) && launchd_start ;;
    systemd) systemctl daemon-reload && systemctl enable --quiet "$unit" && systemctl restart "$unit" || fail "systemd does not start $unit: see journalctl -u $unit." ;;
    systemd-user)
      systemctl --user daemon-reload && systemctl --user enable --quiet "$unit" && systemctl --user restart "$unit" || fail "systemd does not start $unit: see journalctl --user -u $unit."
      # Without lingering, services of a user end with the last session and don't start at boot.
      loginctl enable-linger >/dev/null 2>&1 || say 'note=The node runs only while this account is logged in: loginctl enable-linger was refused.'
      ;;
    process) process_start ;;
  esac
  say "service=$service"
  say "state=started"
}

stop_node() {
  case $service in
    launchd-*) domain=$(launchd_domain) && launchd_stop ;;
    systemd) systemctl disable --now --quiet "$unit" 2>/dev/null ;;
    systemd-user) systemctl --user disable --now --quiet "$unit" 2>/dev/null ;;
    process) process_stop ;;
  esac
  say "service=$service"
  say "state=stopped"
}
