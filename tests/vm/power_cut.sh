# Inside the machine: a gateway, a pretend Garmin, and tokens that are refreshed without a pause until the power is cut.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
export PUBLIC_URL=http://localhost:8080 DATA_DIR=/var/lib/garmin-gateway RUNTIME_DIR=/run/garmin-gateway
export GATEWAY_SECRET_FILE=/root/secret OPEN_SIGN_UP=true SIGN_IN_SPACING=0 SIGN_IN_DAILY=1000
export GARMIN_SSO_URL=http://127.0.0.1:9999 GARMIN_DIAUTH_URL=http://127.0.0.1:9999
export GARMIN_CONNECTAPI_URL=http://127.0.0.1:9999 GARMIN_LIVETRACK_URL=http://127.0.0.1:9999
/mnt/garmin-gateway simulator --bind 127.0.0.1:9999 --people 6 >/run/simulator.json 2>/dev/null &
until [ -s /run/simulator.json ]; do sleep 0.2; done
/mnt/garmin-gateway serve >/var/log/garmin-gateway.log 2>&1 &
exec python3 /mnt/power_cut.py
