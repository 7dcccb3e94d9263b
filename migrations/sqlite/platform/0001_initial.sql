-- The platform's own tables: operators, catalogue, plugin versions, routes, settings, jobs, audit log.
-- Ids are 16-byte BLOBs, times and money INTEGER (microseconds UTC, minor units), enums TEXT with CHECK.

-- People who run the platform.
CREATE TABLE operators (
  id BLOB NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('operator', 'viewer')),
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
) STRICT;

-- Their signed-in browsers and command lines.
CREATE TABLE operator_sessions (
  id BLOB NOT NULL PRIMARY KEY,
  id_hash BLOB NOT NULL UNIQUE,
  operator_id BLOB NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
  csrf_token TEXT NOT NULL,
  method TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id);

-- The tenant catalogue. `search` is slug and name in lower case, folded by the program so that both databases agree.
CREATE TABLE tenants (
  id BLOB NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending_verification', 'pending_approval', 'provisioning', 'active', 'past_due', 'read_only', 'suspended', 'closing', 'purged')),
  plan TEXT NOT NULL,
  isolation TEXT NOT NULL CHECK (isolation IN ('row', 'schema', 'database')),
  locale TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  demo_at INTEGER,
  search TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tenants_status ON tenants (status, id);

-- Installed plugin versions; the bytes lie in the object store under their digest.
CREATE TABLE plugin_versions (
  id BLOB NOT NULL PRIMARY KEY,
  plugin_id TEXT NOT NULL,
  version TEXT NOT NULL,
  kind TEXT NOT NULL,
  contract TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL CHECK (size >= 0),
  publisher TEXT NOT NULL,
  manifest TEXT NOT NULL,
  config_schema TEXT NOT NULL,
  imports TEXT NOT NULL,
  installed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX plugin_versions_plugin ON plugin_versions (plugin_id, id);

-- Which installation of which tenant uses which digest: a version in use can't be removed.
CREATE TABLE plugin_uses (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  installation_id BLOB NOT NULL,
  digest TEXT NOT NULL REFERENCES plugin_versions (digest),
  PRIMARY KEY (tenant_id, installation_id)
) STRICT;
CREATE INDEX plugin_uses_digest ON plugin_uses (digest);

-- Gateway routes; a NULL tenant means all of them.
CREATE TABLE routes (
  id BLOB NOT NULL PRIMARY KEY,
  tenant_id BLOB REFERENCES tenants (id),
  path_prefix TEXT NOT NULL,
  upstream TEXT NOT NULL,
  meter TEXT NOT NULL,
  strip_prefix INTEGER NOT NULL CHECK (strip_prefix IN (0, 1)),
  timeout_ms INTEGER NOT NULL CHECK (timeout_ms > 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX routes_tenant_prefix ON routes (tenant_id, path_prefix) WHERE tenant_id IS NOT NULL;
CREATE UNIQUE INDEX routes_common_prefix ON routes (path_prefix) WHERE tenant_id IS NULL;

-- Small named values; sealed ones are opaque here.
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- Durable jobs with leases.
CREATE TABLE jobs (
  id BLOB NOT NULL PRIMARY KEY,
  tenant_id BLOB REFERENCES tenants (id),
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
  run_at INTEGER NOT NULL,
  lease_until INTEGER,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_leased ON jobs (lease_until, id) WHERE state = 'running';
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_finished ON jobs (updated_at) WHERE state = 'done';

-- The operators' audit log: RFC 6962 leaves without gaps, and the tree's right edge.
CREATE TABLE platform_audit_events (
  log TEXT NOT NULL CHECK (log = 'platform'),
  seq INTEGER NOT NULL CHECK (seq >= 0),
  id BLOB NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'operator', 'plugin', 'system', 'anonymous')),
  actor_id BLOB,
  target_kind TEXT NOT NULL,
  target_id TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'denied', 'failed')),
  request_id BLOB,
  body BLOB NOT NULL,
  leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
  PRIMARY KEY (log, seq),
  UNIQUE (log, id)
) STRICT;
CREATE INDEX platform_audit_events_target ON platform_audit_events (log, target_kind, target_id, seq);
CREATE INDEX platform_audit_events_actor ON platform_audit_events (log, actor_id, seq);
CREATE INDEX platform_audit_events_request ON platform_audit_events (log, request_id);
CREATE INDEX platform_audit_events_at ON platform_audit_events (log, at);
CREATE TABLE platform_audit_frontier (
  log TEXT NOT NULL PRIMARY KEY CHECK (log = 'platform'),
  size INTEGER NOT NULL CHECK (size >= 0),
  nodes BLOB NOT NULL
) STRICT;

-- An audit event is written once.
CREATE TRIGGER platform_audit_events_no_update BEFORE UPDATE ON platform_audit_events BEGIN SELECT RAISE(ABORT, 'audit events are written once'); END;
CREATE TRIGGER platform_audit_events_no_delete BEFORE DELETE ON platform_audit_events BEGIN SELECT RAISE(ABORT, 'audit events are written once'); END;
