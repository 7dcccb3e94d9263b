-- The bytes of installed components, where every node finds them. Rows from before have theirs in the object store.
CREATE TABLE plugin_blobs (
  digest TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES plugin_versions (digest) ON DELETE CASCADE,
  bytes BYTEA NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON plugin_blobs TO aistack_app;
