#!/bin/sh
# Makes the secrets that compose.yaml mounts, once, in deploy/secrets. Keep copies of root.key, log.key and certificate.key apart from every
# backup of the database. The files are readable, their directory is not: a container's user is not yours.
set -eu
umask 022
cd "$(dirname "$0")"
mkdir -m 700 secrets
cd secrets
for key in root log certificate edge keeper; do openssl rand -base64 32 >"$key.key"; done
for role in owner edge keeper; do
  password=$(openssl rand -hex 32)
  printf '%s\n' "$password" >"$role.password"
  printf 'postgres://postern_%s:%s@postgres:5432/postern\n' "$role" "$password" >"$role.url"
done
