# Postern's edge on plain workerd: no cloud account, no Wrangler at run time. docs/DEPLOY.md builds and starts it.
#
#   npx wrangler deploy src/workerd.ts --dry-run --outdir dist/workerd
#   workerd serve deploy/workerd.capnp
#
# Settings and secrets come from the environment of the process and never stand in this file. The log key and the certificate key belong
# to the keeper (`postern serve --only keeper`), which runs elsewhere on the same database; they are not among the bindings below.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    # Where the edge may connect to: its two databases, and the issuers' keys, whose addresses the operator's text names.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    # Where merchants' own APIs are asked, by names that owners gave: nothing inside.
    (name = "shops", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
  ],
  # Plain HTTP: a TLS proxy on this host stands in front.
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [(name = "workerd.js", esModule = embed "../dist/workerd/workerd.js")],
  compatibilityDate = "2026-08-01",
  compatibilityFlags = ["nodejs_compat"],

  # One object holds the connections for all requests, for as long as the process lives. It stores nothing.
  durableObjectNamespaces = [(className = "Edge", uniqueKey = "postern-edge", preventEviction = true)],
  durableObjectStorage = (inMemory = void),

  bindings = [
    (name = "EDGE", durableObjectNamespace = "Edge"),
    (name = "SHOPS", service = "shops"),
    (name = "NODE_ENV", text = "production"),
    # As database role postern_edge.
    (name = "DATABASE_URL_EDGE", fromEnvironment = "DATABASE_URL_EDGE"),
    # The second database, of the key shares: one that keeps no history.
    (name = "POSTERN_SHARE_STORE", fromEnvironment = "POSTERN_SHARE_STORE"),
    # 32 bytes in base64 each: the keeper's root key, and this edge's own writer key.
    (name = "POSTERN_ROOT_KEY", fromEnvironment = "POSTERN_ROOT_KEY"),
    (name = "POSTERN_WRITER_KEY", fromEnvironment = "POSTERN_WRITER_KEY"),
    (name = "POSTERN_LOG_NAME", fromEnvironment = "POSTERN_LOG_NAME"),
    (name = "POSTERN_ORIGIN", fromEnvironment = "POSTERN_ORIGIN"),
    # The text of postern.yaml.
    (name = "POSTERN_CONFIG", fromEnvironment = "POSTERN_CONFIG"),
  ],
);
