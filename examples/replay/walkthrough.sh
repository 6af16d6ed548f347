#!/bin/sh
# From dev to staging to production, on three simulated tenants of this machine: somebody edits applications in dev's
# Dashboard, the changes are recorded from dev's own log, looked at, and replayed in the other two.
#
#   examples/replay/walkthrough.sh [FOLDER]      needs patchwave and curl on the path; what it made stays in FOLDER
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"
folder=$(pwd)
export XDG_STATE_HOME="$folder/state"

# --- Three tenants with the same applications, each with ids, a host and a log of its own.

serving=
stop() {
  for pid in $serving; do kill "$pid" 2>/dev/null || true; done
}
trap stop EXIT

seed=1
for tenant in dev staging prod; do
  sed "s/HOST/$tenant.acme.example/g" "$here/applications.json" > "$tenant.json"
  mkdir "$tenant"
  patchwave sandbox --load "$tenant.json" --seed "$seed" --write-config "$tenant" > "$tenant/serving.txt" 2>&1 &
  serving="$serving $!"
  seed=$((seed + 1))
done
for tenant in dev staging prod; do
  tries=0
  until grep -q Serving "$tenant/serving.txt" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$tenant/serving.txt"; exit 1; }
    sleep 0.1
  done
  sed -n "s/sandbox-1\]/$tenant]/; s#secrets/sandbox-1#$tenant/secrets/sandbox-1#; /^\[tenants/p; /^domain/p; /^client_/p" \
    "$tenant/patchwave.toml" >> patchwave.toml
  printf 'vars = { host = "%s.acme.example" }\n\n' "$tenant" >> patchwave.toml
done

# --- A snapshot, before the work begins.

patchwave get --all --tenant dev -o before.json
sleep 1
from=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# --- Somebody works in dev's Dashboard. Here it is curl that says so to the simulated tenant.

domain=$(sed -n '/^\[tenants.dev\]/,/^client_id/s/^domain = "\(.*\)"/\1/p' patchwave.toml)
client=$(sed -n '/^\[tenants.dev\]/,/^client_id/s/^client_id = "\(.*\)"/\1/p' patchwave.toml)
token=$(curl -s "$domain/oauth/token" -d grant_type=client_credentials -d "client_id=$client" \
  --data-urlencode "client_secret=$(cat dev/secrets/sandbox-1)" --data-urlencode "audience=https://${domain#http://}/api/v2/" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
id() {
  patchwave get --where "name == '$1'" --fields client_id --tenant dev --quiet |
    sed -n 's/.*"client_id": "\([^"]*\)".*/\1/p' | head -n 1
}
edit() {
  curl -s -f -o answer.json -X PATCH "$domain/api/v2/clients/$(id "$1")" -H "Authorization: Bearer $token" \
    -H "Content-Type: application/json" -H "X-Sandbox-User: Ada <ada@acme.example>" -d "$2"
}
edit "Billing" '{"description": "bills", "sso": true}'
edit "Billing" '{"name": "Billing EU", "description": "bills of the EU"}'
edit "Shop" '{"callbacks": ["https://dev.acme.example/shop/callback", "https://dev.acme.example/shop/new"]}'
edit "Mobile" '{"description": "a try"}'
# Back to what it was: no change. The Dashboard sends fields that nobody touched along with it.
edit "Mobile" '{"description": "the developer'"'"'s mobile", "app_type": "native", "web_origins": ["https://dev.acme.example"]}'

# --- What was done becomes a file, without a word of dev in it.

patchwave record --from-log --since "$from" --until now --channel dashboard --tenant dev -o changes.toml
cat changes.toml
if grep -q -e dev.acme.example -e "${domain#http://}" changes.toml; then
  echo "dev shows in the change set" >&2
  exit 1
fi

# --- The same in staging, then in production; a second time there is nothing left to do.

patchwave replay changes.toml --tenant staging --dry-run
patchwave replay changes.toml --tenant staging --yes
patchwave replay changes.toml --tenant prod --yes
patchwave replay changes.toml --tenant staging --tenant prod --yes
patchwave status

# --- Staging and production are alike again but for what is theirs; and there is a way back.

patchwave diff staging prod --identity client_metadata.slug || [ $? -eq 2 ]
patchwave get --where "name == 'Shop'" --fields callbacks --tenant prod
patchwave runs
