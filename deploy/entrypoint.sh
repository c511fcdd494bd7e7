#!/bin/sh
# Database URLs hold passwords: NAME_FILE names a file with the URL, so that it stands in no unit, image or container definition.
set -eu
for name in DATABASE_URL DATABASE_URL_EDGE DATABASE_URL_KEEPER POSTERN_SHARE_STORE POSTERN_ANCHOR; do
  eval "file=\${${name}_FILE:-}"
  if [ -n "$file" ]; then
    value=$(cat "$file")
    export "$name=$value"
    unset "${name}_FILE"
  fi
done
exec "$@"
