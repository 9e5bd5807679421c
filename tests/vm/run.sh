# Inside the machine, as root: the checks of one boot. The file `words` names the boot, and the port at which the host
# finds the machine. Every line that begins with "ok" is a check that passed; the first that fails ends the boot.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
read -r boot port <<X
$(cat /mnt/words)
X

# The boot may have left a line unfinished.
echo

ok() { # WORDS -- COMMAND…
  what=
  while [ "$1" != -- ]; do what="$what $1"; shift; done
  shift
  if "$@" >/tmp/out 2>&1; then echo "ok$what"; else
    echo "FAILED$what"
    cat /tmp/out
    journalctl -u garmin-gateway -n 30 --no-pager -o cat
    exit 1
  fi
}

not() { ! "$@"; }
contains() { grep -q -- "$1" "$2"; }
active() { [ "$(systemctl is-active garmin-gateway)" = active ]; }
# The emulated processor is slow, so a restarted service gets more time.
active_again() {
  for _ in $(seq 90); do
    sleep 1
    if active; then return 0; fi
  done
  return 1
}
journal_has() { journalctl -b -u garmin-gateway -o cat | grep -q "$1"; }
state() { systemctl show garmin-gateway -p "$1" --value; }
person() { python3 /mnt/person.py "$1" "http://localhost:$port" /root/tokens; }

# Calls again, because a call waits for its worker only as long as Claude waits for a call.
again_with_patience() { person again || person call || person call; }

# Lets a client outside the machine connect through nginx. A line on the serial line says when it has finished.
client() {
  echo "a client may come: $(head -n 1 /run/simulator.json)"
  read -r _ </dev/ttyS0
}

# Serves what would be on the internet: the releases and Garmin.
outside() {
  for card in /sys/class/net/e*; do card=${card##*/}; done
  ip address add 10.0.2.15/24 dev "$card" && ip link set "$card" up
  (cd /mnt/releases && exec python3 -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1) &
  /mnt/garmin-gateway simulator --bind 127.0.0.1:9999 --people 2 >/run/simulator.json 2>/dev/null &
  until [ -s /run/simulator.json ] && curl -s -o /tmp/out http://127.0.0.1:8000/; do sleep 0.2; done
}

# Starts nginx with the file of packaging/.
proxy() {
  sed "/\[::\]:443/d; s/listen 443 ssl/listen $port/; /ssl_/d; s/server_name .*/server_name localhost;/" /mnt/nginx.conf >/etc/nginx/conf.d/garmin.conf
  rm -f /etc/nginx/sites-enabled/default
  systemctl start nginx || journalctl -u nginx -n 5 --no-pager -o cat
}

# Starts Pebble, the ACME server that Let's Encrypt makes for tests.
authority() {
  install -m 0644 /mnt/authority.pem /usr/local/share/authority.pem
  cat >/run/pebble.json <<X
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "httpPort": 5002, "tlsPort": 443,
  "certificate": "/mnt/pebble.pem", "privateKey": "/mnt/pebble.key", "certificateValidityPeriod": 86400}}
X
  /mnt/pebble-challtestsrv -dns01 127.0.0.1:8053 -management 127.0.0.1:8055 -http01 '' -https01 '' -tlsalpn01 '' \
    -defaultIPv4 127.0.0.1 -defaultIPv6 '' >/run/names.log 2>&1 &
  PEBBLE_VA_NOSLEEP=1 /mnt/pebble -config /run/pebble.json -dnsserver 127.0.0.1:8053 >/run/pebble.log 2>&1 &
  until curl -sf --cacert /mnt/authority.pem -o /run/root.pem https://localhost:15000/roots/0; do sleep 0.5; done
}

install_release() { GARMIN_GATEWAY_BASE_URL=http://127.0.0.1:8000 sh /mnt/releases/latest/download/install.sh "$@"; }

upgrade_command() { echo "garmin-gateway upgrade --yes --from http://127.0.0.1:8000 --key '$(cut -d ' ' -f 1,2 /mnt/key.pub)'"; }
upgrade_itself() { sh -c "$(upgrade_command)"; }

first() {
  ok a plan is shown -- install_release --dry-run
  ok and nothing was done -- not test -e /etc/garmin-gateway
  ok the release installs -- install_release --yes --public-url "http://localhost:$port" --invite @example.org --operator-name VM
  ok the service runs -- active
  security=$(systemd-analyze security garmin-gateway 2>/dev/null | sed -n 's/.*exposure level for garmin-gateway.service: \([0-9.]*\).*/\1/p')
  ok the unit is exposed by "$security", 2.0 at most -- awk "BEGIN { exit !($security <= 2.0) }"
  ok the secret is root\'s alone -- test "$(stat -c '%U %a' /etc/garmin-gateway/secret)" = "root 600"
  ok the data are the service\'s alone -- test "$(stat -c '%U %a' /var/lib/garmin-gateway)" = "garmin-gateway 700"
  cat >>/etc/garmin-gateway/gateway.env <<X
GARMIN_SSO_URL=http://127.0.0.1:9999
GARMIN_DIAUTH_URL=http://127.0.0.1:9999
GARMIN_CONNECTAPI_URL=http://127.0.0.1:9999
GARMIN_LIVETRACK_URL=http://127.0.0.1:9999
TRUSTED_PROXIES=127.0.0.1
SIGN_IN_SPACING=0
X
  ok new settings are taken up -- systemctl restart garmin-gateway
  ok a person signs in through nginx and calls tools -- person connect
  client
  ok the worker is fenced -- journal_has '"event":"worker.ready".*"fence":"files'
  ok the doctor finds nothing to mend -- garmin-gateway doctor
  ok a killed gateway comes back -- kill -9 "$(state MainPID)"
  ok it is back -- active_again
  ok and the sign-in holds -- person call
}

# One command installs a service that serves https itself. The client outside connects without a proxy, as through a
# router that forwards a port to 443.
certificate() {
  authority
  mkdir -p /etc/systemd/system/garmin-gateway.service.d
  {
    echo '[Service]'
    echo 'Environment=ACME_DIRECTORY=https://localhost:14000/dir ACME_ROOT=/usr/local/share/authority.pem SIGN_IN_SPACING=0'
    for part in SSO DIAUTH CONNECTAPI LIVETRACK; do echo "Environment=GARMIN_${part}_URL=http://127.0.0.1:9999"; done
  } >/etc/systemd/system/garmin-gateway.service.d/outside.conf
  ok one line installs it -- install_release --yes --public-url "https://localhost:$port" --tls acme --invite @example.org
  ok the service runs on port 443 -- active
  ok it has a certificate of the authority -- served_again
  ok plain http is sent on to https -- sh -c 'curl -sI http://localhost/ | grep -qi "^location: https://localhost:"'
  echo "its root: $(base64 -w 0 /run/root.pem)"
  client
  serial=$(serial)
  ok the service restarts -- systemctl restart garmin-gateway
  ok and serves again -- served_again
  ok with the same certificate -- test "$(serial)" = "$serial"
}

served_again() {
  for _ in $(seq 90); do
    if curl -sf --cacert /run/root.pem -o /tmp/out https://localhost/; then return 0; fi
    sleep 1
  done
  return 1
}
serial() { openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -serial; }

# The unmodified garmin_mcp under the same unit. It uses Garmin's own host names, which are built into it.
python() {
  at=/usr/local/lib/garmin-gateway/garmin_mcp
  mkdir -p $at
  cp -a /mnt/garmin_mcp/. $at/
  # It was installed for the Python of another machine.
  venv=$at/$(readlink $at/current)/venv
  ln -sf /usr/bin/python3 $venv/bin/python
  sed -i 's#^home = .*#home = /usr/bin#' $venv/pyvenv.cfg
  sed -i "2s#'/[^']*/bin/python'#'$venv/bin/python'#" $venv/bin/garmin-mcp
  authority=/usr/local/share/authority.pem
  python3 /mnt/names.py $authority >/run/names 2>&1 &
  until [ -s $authority ]; do sleep 0.2; done
  chmod 0644 $authority
  # The emulated processor needs a long time to load so much Python.
  cp -p /etc/garmin-gateway/gateway.env /root/gateway.env
  sed -i '/^GARMIN_\(SSO\|DIAUTH\|CONNECTAPI\)_URL/d' /etc/garmin-gateway/gateway.env
  echo WORKER_STARTUP_TIMEOUT=600 >>/etc/garmin-gateway/gateway.env
  names=/etc/systemd/system/garmin-gateway.service.d/names.conf
  mkdir -p "${names%/*}"
  printf '[Service]\nEnvironment=SSL_CERT_FILE=%s REQUESTS_CA_BUNDLE=%s\n' $authority $authority >$names
  systemctl daemon-reload
  ok the Python worker is chosen -- garmin-gateway worker use garmin_mcp
  ok a person signs in at Garmin\'s own names and calls it through nginx -- again_with_patience
  ok it is the one that answers -- journal_has '"event":"worker.started".*"kind":"garmin-mcp"'
  ok it is fenced under the unit -- journal_has '"event":"worker.ready".*"fence":"files'
  rm -r "${names%/*}"
  systemctl daemon-reload
  cp -p /root/gateway.env /etc/garmin-gateway/gateway.env
  ok and back to the built-in one -- systemctl restart garmin-gateway
  ok and the sign-in holds with it -- person call
}

second() {
  ok after a reboot it runs -- active_again
  ok and the sign-in holds -- person again
  before=$(sha256sum </usr/local/bin/garmin-gateway)
  # Makes a build that does not start: the unit refuses a program that ends with this mark.
  mkdir -p /etc/systemd/system/garmin-gateway.service.d
  printf '[Service]\nExecStartPre=/bin/sh -c "! tail -c 20 /usr/local/bin/garmin-gateway | grep -q BROKEN"\n' \
    >/etc/systemd/system/garmin-gateway.service.d/refuse.conf
  systemctl daemon-reload
  cp /mnt/garmin-gateway /root/broken && printf BROKEN >>/root/broken
  ok a broken upgrade says so -- not /root/broken install --yes
  ok the old program is back -- test "$(sha256sum </usr/local/bin/garmin-gateway)" = "$before"
  ok and runs -- active
  ok and the sign-in holds after the broken upgrade -- person call
  cp /mnt/garmin-gateway /root/good && printf GOOD >>/root/good
  person keep >/run/kept 2>&1 &
  keeps=$!
  until [ -e /run/keeps ] || ! kill -0 $keeps; do sleep 0.2; done
  ok a good upgrade is done -- /root/good install --yes
  touch /run/enough
  ok a client in the middle of it only waits -- wait $keeps
  ok of the upgrade: "$(cat /run/kept)" -- test -s /run/kept
  ok the new program is there -- contains GOOD /usr/local/bin/garmin-gateway
  ok and the sign-in holds after the upgrade -- person call
  ok an older program is installed -- /mnt/garmin-gateway-older install --yes
  ok it says that it is older -- sh -c 'garmin-gateway --version | grep -q " 0[.]0[.]0"'
  ok it upgrades itself from the signed release -- upgrade_itself
  ok the release runs -- test "$(garmin-gateway --version)" = "$(/mnt/garmin-gateway --version)" -a "$(systemctl is-active garmin-gateway)" = active
  ok and the sign-in holds with it -- person call
  ok another upgrade finds nothing to do -- sh -c "$(upgrade_command) | grep -q 'Nothing to do'"

  ok the nightly backup is due -- systemctl is-active --quiet garmin-gateway-backup.timer
  ok the nightly backup is made in its fences -- systemctl start garmin-gateway-backup.service
  ok it is there -- sh -c 'garmin-gateway restore --verify /var/lib/garmin-gateway/backups/*.backup'
  ok a backup is made -- garmin-gateway backup /var/lib/garmin-gateway/vm.backup
  cp /var/lib/garmin-gateway/vm.backup /root/vm.backup
  ok the gateway stops -- systemctl stop garmin-gateway
  rm -rf /var/lib/garmin-gateway/gateway.db
  ok the backup is whole -- garmin-gateway restore --verify /root/vm.backup
  ok it is restored -- garmin-gateway restore /root/vm.backup
  ok the gateway starts on it -- systemctl start garmin-gateway
  ok and the sign-in holds after the restore -- person call

  ok it is uninstalled -- garmin-gateway install --uninstall --yes
  ok settings and data stay -- test -e /etc/garmin-gateway/secret -a -e /var/lib/garmin-gateway/gateway.db
  ok and it is gone otherwise -- not test -e /usr/local/bin/garmin-gateway
  ok the purge is done -- /mnt/garmin-gateway install --uninstall --purge --yes
  for left in /etc/garmin-gateway /var/lib/garmin-gateway /run/garmin-gateway /etc/systemd/system/garmin-gateway.service; do
    ok nothing is left in $left -- not test -e $left
  done
  ok nor of the user -- not id garmin-gateway
}

# The Debian package, which puts files where a distribution does.
package() {
  ok the package installs -- dpkg -i /mnt/garmin-gateway.deb
  ok its service runs -- active
  ok it answers -- garmin-gateway status
  ok the package goes -- dpkg --remove garmin-gateway
  ok its data stay -- test -e /var/lib/garmin-gateway
  ok the package is purged -- dpkg --purge garmin-gateway
  ok and nothing stays -- not test -e /var/lib/garmin-gateway -o -e /etc/garmin-gateway
}

case $boot in
  package) ;;
  certificate) outside ;;
  *)
    outside
    proxy
    ;;
esac
$boot
echo "done with the $boot boot"
