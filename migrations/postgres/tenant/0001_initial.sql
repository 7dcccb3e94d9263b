-- Everything a tenant owns. tenant_id leads every key, so the same statements run in a file of its own and in a shared one.
-- Ids are UUID, times and money BIGINT (microseconds UTC, minor units), enums TEXT with CHECK. Text compares bytewise
-- (COLLATE "C") so that order, equality and LOWER() are the same as on SQLite.

-- Members. `search` is address and name in lower case, folded by the program so that both databases agree.
CREATE TABLE users (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  email_verified_at BIGINT,
  name TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'auditor', 'member')),
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
  password_hash TEXT COLLATE "C",
  locale TEXT COLLATE "C",
  search TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_login_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email)
);

-- Plugins enabled in the tenant.
CREATE TABLE installations (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  plugin_id TEXT COLLATE "C" NOT NULL,
  version TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  config TEXT COLLATE "C" NOT NULL,
  grants TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
  endpoint_key TEXT COLLATE "C" NOT NULL,
  generation BIGINT NOT NULL CHECK (generation >= 0),
  search TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE installation_secrets (
  tenant_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, name, version),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
);

-- Members' identities at providers and their signed-in browsers.
CREATE TABLE identities (
  tenant_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  issuer TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  user_id UUID NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, issuer, subject),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX identities_user ON identities (tenant_id, user_id);
CREATE TABLE sessions (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  id_hash BYTEA NOT NULL,
  user_id UUID NOT NULL,
  csrf_token TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, id_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);

-- Half-finished sign-ins: single use, short-lived.
CREATE TABLE logins (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  browser_hash BYTEA NOT NULL,
  installation_id UUID NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  return_to TEXT COLLATE "C" NOT NULL,
  state BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX logins_installation ON logins (tenant_id, installation_id);
CREATE INDEX logins_expires ON logins (tenant_id, expires_at);

-- Usage: raw events, their hourly sums, the quota counters and the tenant's own limits.
CREATE TABLE usage_events (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  dimensions TEXT COLLATE "C" NOT NULL,
  occurred_at BIGINT NOT NULL,
  ingested_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, source, event_id)
);
CREATE INDEX usage_events_meter ON usage_events (tenant_id, meter, id);
CREATE TABLE usage_hours (
  tenant_id UUID NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  hour BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, meter, hour)
);
CREATE INDEX usage_hours_hour ON usage_hours (tenant_id, hour);
CREATE TABLE quota_counters (
  tenant_id UUID NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  window_start BIGINT NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, meter, window_start)
);
CREATE TABLE quota_overrides (
  tenant_id UUID NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  cap BIGINT CHECK (cap >= 0),
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, meter)
);

-- Orders. No reference to the installation: an order outlives the plugin that took its payment.
CREATE TABLE order_counters (
  tenant_id UUID NOT NULL PRIMARY KEY,
  last_number BIGINT NOT NULL CHECK (last_number > 0)
);
CREATE TABLE orders (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  number BIGINT NOT NULL CHECK (number > 0),
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  currency TEXT COLLATE "C" NOT NULL CHECK (length(currency) = 3),
  description TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'pending', 'paid', 'failed', 'cancelled', 'refunded', 'unknown')),
  installation_id UUID NOT NULL,
  provider_ref TEXT COLLATE "C",
  action TEXT COLLATE "C",
  plugin_state BYTEA NOT NULL,
  idempotency_key TEXT COLLATE "C",
  paid_minor BIGINT CHECK (paid_minor >= 0),
  created_by UUID,
  search TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  paid_at BIGINT,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number),
  UNIQUE (tenant_id, idempotency_key)
);
CREATE INDEX orders_status ON orders (tenant_id, status, id);

-- What providers sent, raw, and which of their events have been applied.
CREATE TABLE deliveries (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  installation_id UUID NOT NULL,
  endpoint TEXT COLLATE "C" NOT NULL,
  headers TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL,
  received_at BIGINT NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('received', 'applied', 'duplicate', 'rejected', 'failed')),
  code TEXT COLLATE "C",
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX deliveries_installation ON deliveries (tenant_id, installation_id, id);
CREATE TABLE provider_events (
  tenant_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, event_id)
);

-- Report runs and their files; the bytes lie in the object store.
CREATE TABLE report_runs (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  installation_id UUID NOT NULL,
  report TEXT COLLATE "C" NOT NULL,
  format TEXT COLLATE "C" NOT NULL,
  params TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress BIGINT NOT NULL CHECK (progress BETWEEN 0 AND 100),
  error TEXT COLLATE "C",
  summary TEXT COLLATE "C",
  requested_by UUID,
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX report_runs_status ON report_runs (tenant_id, status, id);
CREATE TABLE files (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  run_id UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  media_type TEXT COLLATE "C" NOT NULL,
  bytes BIGINT NOT NULL CHECK (bytes >= 0),
  sha256 TEXT COLLATE "C" NOT NULL,
  object_key TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES report_runs (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX files_run ON files (tenant_id, run_id, id);

-- Keys under which a subject's personal data is sealed: destroying the row destroys what it sealed.
CREATE TABLE subject_keys (
  tenant_id UUID NOT NULL,
  subject UUID NOT NULL,
  wrapped BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, subject)
);

-- The machinery: messages on their way to the job queue, plugins' key-value state, the record of plugin calls.
CREATE TABLE outbox (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  payload TEXT COLLATE "C" NOT NULL,
  run_at BIGINT NOT NULL,
  max_attempts BIGINT NOT NULL CHECK (max_attempts > 0),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX outbox_age ON outbox (tenant_id, created_at, id);
CREATE TABLE kv (
  tenant_id UUID NOT NULL,
  installation_id UUID NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value BYTEA NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  expires_at BIGINT,
  PRIMARY KEY (tenant_id, installation_id, key),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX kv_expires ON kv (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE calls (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  installation_id UUID NOT NULL,
  request_id UUID,
  operation TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  wall_us BIGINT NOT NULL,
  guest_us BIGINT NOT NULL,
  memory BIGINT NOT NULL,
  host_calls BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL,
  bytes_in BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C",
  log TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX calls_installation ON calls (tenant_id, installation_id, id);
CREATE INDEX calls_started ON calls (tenant_id, started_at);

-- The tenant's audit log: RFC 6962 leaves without gaps, and the tree's right edge.
CREATE TABLE audit_events (
  tenant_id UUID NOT NULL,
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
  PRIMARY KEY (tenant_id, seq),
  UNIQUE (tenant_id, id)
);
CREATE INDEX audit_events_target ON audit_events (tenant_id, target_kind, target_id, seq);
CREATE INDEX audit_events_actor ON audit_events (tenant_id, actor_id, seq);
CREATE INDEX audit_events_request ON audit_events (tenant_id, request_id);
CREATE INDEX audit_events_at ON audit_events (tenant_id, at);
CREATE TABLE audit_frontier (
  tenant_id UUID NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL CHECK (size >= 0),
  nodes BYTEA NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON
  users,
  installations,
  installation_secrets,
  identities,
  sessions,
  logins,
  usage_events,
  usage_hours,
  quota_counters,
  quota_overrides,
  order_counters,
  orders,
  deliveries,
  provider_events,
  report_runs,
  files,
  subject_keys,
  outbox,
  kv,
  calls,
  audit_frontier
  TO aistack_app;
-- An audit event is written once.
GRANT SELECT, INSERT ON audit_events TO aistack_app;

-- Row-level security, forced on the owner too. Without a tenant set in the transaction the setting is NULL or empty:
-- then no row is visible and none can be written. The sub-select makes it one evaluation per statement.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON users
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE installations ENABLE ROW LEVEL SECURITY;
ALTER TABLE installations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON installations
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE installation_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON installation_secrets
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identities
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sessions
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE logins FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON logins
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE usage_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON usage_events
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE usage_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON usage_hours
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE quota_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quota_counters
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE quota_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quota_overrides
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE order_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_counters
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deliveries
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE provider_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON provider_events
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE report_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON report_runs
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON files
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE subject_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE subject_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON subject_keys
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON outbox
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE kv ENABLE ROW LEVEL SECURITY;
ALTER TABLE kv FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON kv
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE calls FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON calls
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_events
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
ALTER TABLE audit_frontier ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_frontier FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_frontier
  USING (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid))
  WITH CHECK (tenant_id = (SELECT nullif(current_setting('aistack.tenant', true), '')::uuid));
