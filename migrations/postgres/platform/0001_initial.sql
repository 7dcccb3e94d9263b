-- The platform's own tables: operators, catalogue, plugin versions, routes, settings, jobs, audit log.
-- Ids are UUID, times and money BIGINT (microseconds UTC, minor units), enums TEXT with CHECK. Text compares bytewise
-- (COLLATE "C") so that order, equality and LOWER() are the same as on SQLite.

-- The role the program works as: it owns nothing and can't bypass row-level security. Roles belong to the cluster,
-- so another database may have made it already, perhaps at this very moment.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aistack_app') THEN
    CREATE ROLE aistack_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;
DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO aistack_app', current_schema());
END
$$;

-- People who run the platform.
CREATE TABLE operators (
  id UUID NOT NULL PRIMARY KEY,
  email TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  password_hash TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL CHECK (role IN ('operator', 'viewer')),
  created_at BIGINT NOT NULL,
  disabled_at BIGINT
);

-- Their signed-in browsers and command lines.
CREATE TABLE operator_sessions (
  id UUID NOT NULL PRIMARY KEY,
  id_hash BYTEA NOT NULL UNIQUE,
  operator_id UUID NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
  csrf_token TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id);

-- The tenant catalogue. `search` is slug and name in lower case, folded by the program so that both databases agree.
CREATE TABLE tenants (
  id UUID NOT NULL PRIMARY KEY,
  slug TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending_verification', 'pending_approval', 'provisioning', 'active', 'past_due', 'read_only', 'suspended', 'closing', 'purged')),
  plan TEXT COLLATE "C" NOT NULL,
  isolation TEXT COLLATE "C" NOT NULL CHECK (isolation IN ('row', 'schema', 'database')),
  locale TEXT COLLATE "C" NOT NULL,
  time_zone TEXT COLLATE "C" NOT NULL,
  currency TEXT COLLATE "C" NOT NULL CHECK (length(currency) = 3),
  demo_at BIGINT,
  search TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX tenants_status ON tenants (status, id);

-- Installed plugin versions; the bytes lie in the object store under their digest.
CREATE TABLE plugin_versions (
  id UUID NOT NULL PRIMARY KEY,
  plugin_id TEXT COLLATE "C" NOT NULL,
  version TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  contract TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL UNIQUE,
  size BIGINT NOT NULL CHECK (size >= 0),
  publisher TEXT COLLATE "C" NOT NULL,
  manifest TEXT COLLATE "C" NOT NULL,
  config_schema TEXT COLLATE "C" NOT NULL,
  imports TEXT COLLATE "C" NOT NULL,
  installed_at BIGINT NOT NULL
);
CREATE INDEX plugin_versions_plugin ON plugin_versions (plugin_id, id);

-- Which installation of which tenant uses which digest: a version in use can't be removed.
CREATE TABLE plugin_uses (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  installation_id UUID NOT NULL,
  digest TEXT COLLATE "C" NOT NULL REFERENCES plugin_versions (digest),
  PRIMARY KEY (tenant_id, installation_id)
);
CREATE INDEX plugin_uses_digest ON plugin_uses (digest);

-- Gateway routes; a NULL tenant means all of them.
CREATE TABLE routes (
  id UUID NOT NULL PRIMARY KEY,
  tenant_id UUID REFERENCES tenants (id),
  path_prefix TEXT COLLATE "C" NOT NULL,
  upstream TEXT COLLATE "C" NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  strip_prefix BIGINT NOT NULL CHECK (strip_prefix IN (0, 1)),
  timeout_ms BIGINT NOT NULL CHECK (timeout_ms > 0),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX routes_tenant_prefix ON routes (tenant_id, path_prefix) WHERE tenant_id IS NOT NULL;
CREATE UNIQUE INDEX routes_common_prefix ON routes (path_prefix) WHERE tenant_id IS NULL;

-- Small named values; sealed ones are opaque here.
CREATE TABLE settings (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Durable jobs with leases.
CREATE TABLE jobs (
  id UUID NOT NULL PRIMARY KEY,
  tenant_id UUID REFERENCES tenants (id),
  kind TEXT COLLATE "C" NOT NULL,
  payload TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  max_attempts BIGINT NOT NULL CHECK (max_attempts > 0),
  run_at BIGINT NOT NULL,
  lease_until BIGINT,
  last_error TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_leased ON jobs (lease_until, id) WHERE state = 'running';
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_finished ON jobs (updated_at) WHERE state = 'done';

-- The operators' audit log: RFC 6962 leaves without gaps, and the tree's right edge.
CREATE TABLE platform_audit_events (
  log TEXT COLLATE "C" NOT NULL CHECK (log = 'platform'),
  seq BIGINT NOT NULL CHECK (seq >= 0),
  id UUID NOT NULL,
  at BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  actor_kind TEXT COLLATE "C" NOT NULL CHECK (actor_kind IN ('user', 'operator', 'plugin', 'system', 'anonymous')),
  actor_id UUID,
  target_kind TEXT COLLATE "C" NOT NULL,
  target_id TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('ok', 'denied', 'failed')),
  request_id UUID,
  body BYTEA NOT NULL,
  leaf_hash BYTEA NOT NULL CHECK (length(leaf_hash) = 32),
  PRIMARY KEY (log, seq),
  UNIQUE (log, id)
);
CREATE INDEX platform_audit_events_target ON platform_audit_events (log, target_kind, target_id, seq);
CREATE INDEX platform_audit_events_actor ON platform_audit_events (log, actor_id, seq);
CREATE INDEX platform_audit_events_request ON platform_audit_events (log, request_id);
CREATE INDEX platform_audit_events_at ON platform_audit_events (log, at);
CREATE TABLE platform_audit_frontier (
  log TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (log = 'platform'),
  size BIGINT NOT NULL CHECK (size >= 0),
  nodes BYTEA NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON
  operators,
  operator_sessions,
  tenants,
  plugin_versions,
  plugin_uses,
  routes,
  settings,
  jobs,
  platform_audit_frontier
  TO aistack_app;
-- An audit event is written once.
GRANT SELECT, INSERT ON platform_audit_events TO aistack_app;
