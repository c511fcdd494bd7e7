-- When an upstream last refused a connector's credential, for its owner to see; and connectors that are taken away.

alter table postern.connector add column refused_at timestamptz;

grant update (refused_at) on postern.connector to postern_edge;
grant delete on postern.connector to postern_directory;
