-- Domains that tenants bring along. Several tenants may try to prove the same one; only one of them can have it.
CREATE TABLE tenant_domains (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  domain TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'verified', 'failing', 'unverified')),
  token TEXT COLLATE "C" NOT NULL,
  is_primary BIGINT NOT NULL CHECK (is_primary IN (0, 1)),
  misses BIGINT NOT NULL CHECK (misses >= 0),
  last_error TEXT COLLATE "C",
  checked_at BIGINT,
  next_check_at BIGINT,
  verified_at BIGINT,
  failing_since BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, domain)
);
CREATE UNIQUE INDEX tenant_domains_routed ON tenant_domains (domain) WHERE status IN ('verified', 'failing');
CREATE UNIQUE INDEX tenant_domains_primary ON tenant_domains (tenant_id) WHERE is_primary = 1;
CREATE INDEX tenant_domains_due ON tenant_domains (next_check_at);

-- Slugs that tenants gave up. Nobody else ever gets one.
CREATE TABLE slug_history (
  slug TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  released_at BIGINT NOT NULL,
  redirect_until BIGINT NOT NULL
);
CREATE INDEX slug_history_tenant ON slug_history (tenant_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_domains, slug_history TO aistack_app;
