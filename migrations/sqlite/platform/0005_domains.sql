-- Domains that tenants bring along. Several tenants may try to prove the same one; only one of them can have it.
CREATE TABLE tenant_domains (
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  domain TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'verified', 'failing', 'unverified')),
  token TEXT NOT NULL,
  is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
  misses INTEGER NOT NULL CHECK (misses >= 0),
  last_error TEXT,
  checked_at INTEGER,
  next_check_at INTEGER,
  verified_at INTEGER,
  failing_since INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, domain)
) STRICT;
CREATE UNIQUE INDEX tenant_domains_routed ON tenant_domains (domain) WHERE status IN ('verified', 'failing');
CREATE UNIQUE INDEX tenant_domains_primary ON tenant_domains (tenant_id) WHERE is_primary = 1;
CREATE INDEX tenant_domains_due ON tenant_domains (next_check_at);

-- Slugs that tenants gave up. Nobody else ever gets one.
CREATE TABLE slug_history (
  slug TEXT NOT NULL PRIMARY KEY,
  tenant_id BLOB NOT NULL REFERENCES tenants (id),
  released_at INTEGER NOT NULL,
  redirect_until INTEGER NOT NULL
) STRICT;
CREATE INDEX slug_history_tenant ON slug_history (tenant_id);
