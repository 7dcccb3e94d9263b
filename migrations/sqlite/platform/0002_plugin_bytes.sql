-- The bytes of installed components, where every node finds them. Rows from before have theirs in the object store.
CREATE TABLE plugin_blobs (
  digest TEXT NOT NULL PRIMARY KEY REFERENCES plugin_versions (digest) ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;
