-- Recorded plugin calls: how many more of an installation are recorded, and until when; the journals, sealed.
CREATE TABLE recordings (
  tenant_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  calls INTEGER NOT NULL CHECK (calls >= 0),
  until INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, installation_id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE TABLE journals (
  tenant_id BLOB NOT NULL,
  call_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, call_id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX journals_age ON journals (tenant_id, installation_id, created_at);

-- Where in its source a call crashed, as far as its component says (JSON).
ALTER TABLE calls ADD COLUMN frames TEXT NOT NULL DEFAULT '[]';
