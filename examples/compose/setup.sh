#!/usr/bin/env bash
# What docker-compose.yml needs that nobody else may know, made once: setup.sh <folder>, with a folder for each that reads.
# Run again, it leaves everything as it is.
set -euo pipefail
cd "$1"
umask 077

if [ -f vestibule/done ]; then
  echo 'everything is there'
  exit 0
fi
# Left by a run that was interrupted: nobody has used any of it yet.
rm -rf vestibule/* portals/* proxy/* mongodb/* redis/* mailpit/*

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# A certificate authority of its own, so that browsers, portals and nodes can be told to trust one file. Its key is
# thrown away: nobody can issue another certificate with it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj '/CN=Vestibule demo' \
  -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' \
  -keyout "$work/ca.key" -out "$work/ca.pem" 2> /dev/null

# certificate <host> <folder>
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2/key.pem" -out "$work/request" 2> /dev/null
  printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$1" > "$work/extensions"
  openssl x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 825 \
    -extfile "$work/extensions" -out "$2/certificate.pem" 2> /dev/null
}
certificate localhost proxy
certificate mailpit mailpit
for reader in vestibule portals proxy; do cp "$work/ca.pem" "$reader/ca.pem"; done

openssl rand -base64 32 > vestibule/master.key
openssl rand -hex 32 | tee portals/portals.secret > vestibule/portals.secret

# Members of the replica set know each other by it.
openssl rand -base64 756 > mongodb/keyfile
openssl rand -hex 24 > mongodb/admin.password
password="$(openssl rand -hex 24)"
echo "$password" > mongodb/vestibule.password
echo "mongodb://vestibule:$password@mongodb-1,mongodb-2,mongodb-3/?replicaSet=vestibule&authSource=admin" > vestibule/mongodb.url

password="$(openssl rand -hex 24)"
echo "redis://vestibule:$password@redis:6379" > vestibule/redis.url
# Vestibule: reading and writing keys of its own, and what it asks about the server; nothing that touches everybody's keys or
# the server itself, such as KEYS, FLUSHALL and CONFIG.
# Anybody else: whether the server answers, which the health check asks.
cat > redis/users.acl << ACL
user vestibule on #$(printf %s "$password" | sha256sum | cut -d ' ' -f 1) ~vestibule:* resetchannels -@all +@read +@write +@connection +@scripting -@dangerous +info
user default on nopass resetkeys resetchannels -@all +ping
ACL

# Each to the user its reader runs as.
chown -R 1000:1000 vestibule/* portals/* mailpit/*
chown -R 999:999 mongodb/* redis/*
chown -R 101:101 proxy/*
touch vestibule/done
echo 'made keys, certificates and passwords'
