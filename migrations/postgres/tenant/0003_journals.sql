-- Recorded plugin calls: how many more of an installation are recorded, and until when; the journals, sealed.
CREATE TABLE recordings (
  tenant_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  calls BIGINT NOT NULL CHECK (calls >= 0),
  until BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, installation_id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
);
CREATE TABLE journals (
  tenant_id UUID NOT NULL,
  call_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, call_id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX journals_age ON journals (tenant_id, installation_id, created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON recordings, journals TO aistack_app;
ALTER TABLE recordings ENABLE ROW LEVEL SECURITY;
ALTER TABLE recordings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON recordings
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE journals ENABLE ROW LEVEL SECURITY;
ALTER TABLE journals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON journals
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));

-- Where in its source a call crashed, as far as its component says (JSON).
ALTER TABLE calls ADD COLUMN frames TEXT COLLATE "C" NOT NULL DEFAULT '[]';
