//! Which Rust type each database column has, for both stores' `sqlx.toml`: one list, so they can't differ.

/// Columns whose Rust type is not the database's own: per table, column and type. `store::` stands for the crate of the
/// storage traits; a type without a path is the core's.
pub(crate) const TYPES: &[(&str, &[(&str, &str)])] = &[
    (
        "operators",
        &[
            ("id", "OperatorId"),
            ("role", "OperatorRole"),
            ("created_at", "Timestamp"),
            ("disabled_at", "Timestamp"),
        ],
    ),
    (
        "operator_sessions",
        &[
            ("id", "SessionId"),
            ("operator_id", "OperatorId"),
            ("created_at", "Timestamp"),
            ("last_seen_at", "Timestamp"),
            ("expires_at", "Timestamp"),
            ("revoked_at", "Timestamp"),
        ],
    ),
    (
        "tenants",
        &[
            ("id", "TenantId"),
            ("status", "TenantStatus"),
            ("isolation", "Isolation"),
            ("demo_at", "Timestamp"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
        ],
    ),
    (
        "plugin_versions",
        &[("id", "PluginVersionId"), ("installed_at", "Timestamp")],
    ),
    ("plugin_uses", &[("tenant_id", "TenantId")]),
    (
        "tenant_domains",
        &[
            ("tenant_id", "TenantId"),
            ("status", "store::DomainStatus"),
            ("checked_at", "Timestamp"),
            ("next_check_at", "Timestamp"),
            ("verified_at", "Timestamp"),
            ("failing_since", "Timestamp"),
            ("created_at", "Timestamp"),
        ],
    ),
    (
        "slug_history",
        &[
            ("tenant_id", "TenantId"),
            ("released_at", "Timestamp"),
            ("redirect_until", "Timestamp"),
        ],
    ),
    (
        "routes",
        &[
            ("id", "RouteId"),
            ("tenant_id", "TenantId"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
        ],
    ),
    ("settings", &[("updated_at", "Timestamp")]),
    (
        "jobs",
        &[
            ("id", "JobId"),
            ("tenant_id", "TenantId"),
            ("state", "store::JobState"),
            ("run_at", "Timestamp"),
            ("lease_until", "Timestamp"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
        ],
    ),
    ("platform_audit_events", AUDIT),
    ("audit_events", AUDIT),
    (
        "users",
        &[
            ("id", "UserId"),
            ("email_verified_at", "Timestamp"),
            ("role", "Role"),
            ("status", "store::UserStatus"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
            ("last_login_at", "Timestamp"),
        ],
    ),
    (
        "identities",
        &[
            ("installation_id", "InstallationId"),
            ("user_id", "UserId"),
            ("created_at", "Timestamp"),
        ],
    ),
    (
        "sessions",
        &[
            ("id", "SessionId"),
            ("user_id", "UserId"),
            ("created_at", "Timestamp"),
            ("last_seen_at", "Timestamp"),
            ("expires_at", "Timestamp"),
            ("revoked_at", "Timestamp"),
        ],
    ),
    (
        "installations",
        &[
            ("id", "InstallationId"),
            ("status", "store::InstallationStatus"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
        ],
    ),
    (
        "installation_secrets",
        &[("installation_id", "InstallationId"), ("created_at", "Timestamp")],
    ),
    (
        "logins",
        &[
            ("id", "LoginId"),
            ("installation_id", "InstallationId"),
            ("expires_at", "Timestamp"),
            ("created_at", "Timestamp"),
        ],
    ),
    (
        "usage_events",
        &[
            ("id", "UsageEventId"),
            ("occurred_at", "Timestamp"),
            ("ingested_at", "Timestamp"),
        ],
    ),
    ("usage_hours", &[("hour", "Timestamp")]),
    ("quota_counters", &[("window_start", "Timestamp")]),
    ("quota_overrides", &[("updated_at", "Timestamp")]),
    (
        "orders",
        &[
            ("id", "OrderId"),
            ("currency", "Currency"),
            ("status", "store::OrderStatus"),
            ("installation_id", "InstallationId"),
            ("created_by", "uuid::Uuid"),
            ("created_at", "Timestamp"),
            ("updated_at", "Timestamp"),
            ("paid_at", "Timestamp"),
        ],
    ),
    (
        "deliveries",
        &[
            ("id", "DeliveryId"),
            ("installation_id", "InstallationId"),
            ("received_at", "Timestamp"),
        ],
    ),
    (
        "provider_events",
        &[("installation_id", "InstallationId"), ("applied_at", "Timestamp")],
    ),
    (
        "report_runs",
        &[
            ("id", "ReportRunId"),
            ("installation_id", "InstallationId"),
            ("status", "store::RunStatus"),
            ("requested_by", "uuid::Uuid"),
            ("created_at", "Timestamp"),
            ("finished_at", "Timestamp"),
        ],
    ),
    (
        "files",
        &[("id", "FileId"), ("run_id", "ReportRunId"), ("created_at", "Timestamp")],
    ),
    ("subject_keys", &[("subject", "SubjectId"), ("created_at", "Timestamp")]),
    (
        "outbox",
        &[("id", "JobId"), ("run_at", "Timestamp"), ("created_at", "Timestamp")],
    ),
    (
        "kv",
        &[("installation_id", "InstallationId"), ("expires_at", "Timestamp")],
    ),
    (
        "calls",
        &[
            ("id", "CallId"),
            ("installation_id", "InstallationId"),
            ("request_id", "RequestId"),
            ("started_at", "Timestamp"),
        ],
    ),
    (
        "recordings",
        &[
            ("installation_id", "InstallationId"),
            ("until", "Timestamp"),
            ("started_at", "Timestamp"),
        ],
    ),
    (
        "journals",
        &[
            ("call_id", "CallId"),
            ("installation_id", "InstallationId"),
            ("created_at", "Timestamp"),
        ],
    ),
];
/// The columns of both audit logs.
const AUDIT: &[(&str, &str)] = &[
    ("id", "AuditEventId"),
    ("at", "Timestamp"),
    ("actor_kind", "ActorKind"),
    ("actor_id", "uuid::Uuid"),
    ("outcome", "Outcome"),
    ("request_id", "RequestId"),
];
