-- Everything a tenant owns. tenant_id leads every key, so the same statements run in a file of its own and in a shared one.
-- Ids are 16-byte BLOBs, times and money INTEGER (microseconds UTC, minor units), enums TEXT with CHECK.

-- Members. `search` is address and name in lower case, folded by the program so that both databases agree.
CREATE TABLE users (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  email TEXT NOT NULL,
  email_verified_at INTEGER,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'auditor', 'member')),
  status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
  password_hash TEXT,
  locale TEXT,
  search TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_login_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email)
) STRICT;

-- Plugins enabled in the tenant.
CREATE TABLE installations (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  plugin_id TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  config TEXT NOT NULL,
  grants TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
  endpoint_key TEXT NOT NULL,
  generation INTEGER NOT NULL CHECK (generation >= 0),
  search TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TABLE installation_secrets (
  tenant_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, name, version),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Members' identities at providers and their signed-in browsers.
CREATE TABLE identities (
  tenant_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, issuer, subject),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX identities_user ON identities (tenant_id, user_id);
CREATE TABLE sessions (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  id_hash BLOB NOT NULL,
  user_id BLOB NOT NULL,
  csrf_token TEXT NOT NULL,
  method TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, id_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);

-- Half-finished sign-ins: single use, short-lived.
CREATE TABLE logins (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  browser_hash BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  purpose TEXT NOT NULL,
  return_to TEXT NOT NULL,
  state BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX logins_installation ON logins (tenant_id, installation_id);
CREATE INDEX logins_expires ON logins (tenant_id, expires_at);

-- Usage: raw events, their hourly sums, the quota counters and the tenant's own limits.
CREATE TABLE usage_events (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  meter TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  subject TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  ingested_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, source, event_id)
) STRICT;
CREATE INDEX usage_events_meter ON usage_events (tenant_id, meter, id);
CREATE TABLE usage_hours (
  tenant_id BLOB NOT NULL,
  meter TEXT NOT NULL,
  hour INTEGER NOT NULL,
  quantity INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, meter, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_hours_hour ON usage_hours (tenant_id, hour);
CREATE TABLE quota_counters (
  tenant_id BLOB NOT NULL,
  meter TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, meter, window_start)
) STRICT, WITHOUT ROWID;
CREATE TABLE quota_overrides (
  tenant_id BLOB NOT NULL,
  meter TEXT NOT NULL,
  cap INTEGER CHECK (cap >= 0),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, meter)
) STRICT, WITHOUT ROWID;

-- Orders. No reference to the installation: an order outlives the plugin that took its payment.
CREATE TABLE order_counters (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  last_number INTEGER NOT NULL CHECK (last_number > 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  description TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'pending', 'paid', 'failed', 'cancelled', 'refunded', 'unknown')),
  installation_id BLOB NOT NULL,
  provider_ref TEXT,
  action TEXT,
  plugin_state BLOB NOT NULL,
  idempotency_key TEXT,
  paid_minor INTEGER CHECK (paid_minor >= 0),
  created_by BLOB,
  search TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  paid_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number),
  UNIQUE (tenant_id, idempotency_key)
) STRICT;
CREATE INDEX orders_status ON orders (tenant_id, status, id);

-- What providers sent, raw, and which of their events have been applied.
CREATE TABLE deliveries (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  endpoint TEXT NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('received', 'applied', 'duplicate', 'rejected', 'failed')),
  code TEXT,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX deliveries_installation ON deliveries (tenant_id, installation_id, id);
CREATE TABLE provider_events (
  tenant_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  event_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, installation_id, event_id)
) STRICT;

-- Report runs and their files; the bytes lie in the object store.
CREATE TABLE report_runs (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  report TEXT NOT NULL,
  format TEXT NOT NULL,
  params TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 100),
  error TEXT,
  summary TEXT,
  requested_by BLOB,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX report_runs_status ON report_runs (tenant_id, status, id);
CREATE TABLE files (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  run_id BLOB NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  sha256 TEXT NOT NULL,
  object_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES report_runs (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX files_run ON files (tenant_id, run_id, id);

-- Keys under which a subject's personal data is sealed: destroying the row destroys what it sealed.
CREATE TABLE subject_keys (
  tenant_id BLOB NOT NULL,
  subject BLOB NOT NULL,
  wrapped BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, subject)
) STRICT;

-- The machinery: messages on their way to the job queue, plugins' key-value state, the record of plugin calls.
CREATE TABLE outbox (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  run_at INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX outbox_age ON outbox (tenant_id, created_at, id);
CREATE TABLE kv (
  tenant_id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  expires_at INTEGER,
  PRIMARY KEY (tenant_id, installation_id, key),
  FOREIGN KEY (tenant_id, installation_id) REFERENCES installations (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kv_expires ON kv (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE calls (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  installation_id BLOB NOT NULL,
  request_id BLOB,
  operation TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  wall_us INTEGER NOT NULL,
  guest_us INTEGER NOT NULL,
  memory INTEGER NOT NULL,
  host_calls INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT,
  log TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX calls_installation ON calls (tenant_id, installation_id, id);
CREATE INDEX calls_started ON calls (tenant_id, started_at);

-- The tenant's audit log: RFC 6962 leaves without gaps, and the tree's right edge.
CREATE TABLE audit_events (
  tenant_id BLOB NOT NULL,
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
  PRIMARY KEY (tenant_id, seq),
  UNIQUE (tenant_id, id)
) STRICT;
CREATE INDEX audit_events_target ON audit_events (tenant_id, target_kind, target_id, seq);
CREATE INDEX audit_events_actor ON audit_events (tenant_id, actor_id, seq);
CREATE INDEX audit_events_request ON audit_events (tenant_id, request_id);
CREATE INDEX audit_events_at ON audit_events (tenant_id, at);
CREATE TABLE audit_frontier (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size >= 0),
  nodes BLOB NOT NULL
) STRICT;

-- An audit event is written once.
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit events are written once'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit events are written once'); END;
