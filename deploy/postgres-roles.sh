#!/bin/sh
# Runs once, in an empty database directory, before anything is migrated: the two roles that serve get their passwords and may connect,
# and nobody else may, nor make temporary tables.
set -eu
export SECRETS="${SECRETS:-/run/secrets}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set edge `cat "$SECRETS/edge.password"`
\set keeper `cat "$SECRETS/keeper.password"`
create role postern_edge login password :'edge';
create role postern_keeper login password :'keeper';
revoke all on database :"DBNAME" from public;
grant connect on database :"DBNAME" to postern_edge, postern_keeper;
SQL
