//! The fixed permission list, the tenant roles over it, and the operators' separate realm.

use crate::text_enum;

text_enum! {
    /// What a route or command may demand. Every HTTP route names exactly one of these, or is declared public.
    pub enum Permission {
        /// See the tenant's own settings.
        TenantRead = "tenant:read",
        /// Change the tenant's settings.
        TenantWrite = "tenant:write",
        /// See members.
        UserRead = "user:read",
        /// Add, change and remove members.
        UserWrite = "user:write",
        /// See plugins enabled in the tenant, their config (never secrets) and calls.
        PluginRead = "plugin:read",
        /// Enable, configure and disable plugins in the tenant.
        PluginWrite = "plugin:write",
        /// See usage and quotas.
        UsageRead = "usage:read",
        /// Report usage events.
        UsageWrite = "usage:write",
        /// Change quota limits.
        QuotaWrite = "quota:write",
        /// See orders.
        OrderRead = "order:read",
        /// Create and pay orders.
        OrderWrite = "order:write",
        /// See reports and their files.
        ReportRead = "report:read",
        /// Run reports.
        ReportRun = "report:run",
        /// Read the audit log.
        AuditRead = "audit:read",
        /// Call upstreams through the gateway.
        GatewayCall = "gateway:call",
        /// Read and end one's own session, make a token from it.
        SelfManage = "self:manage",
        /// See all tenants (operators).
        PlatformTenantRead = "platform.tenant:read",
        /// Create and change tenants (operators).
        PlatformTenantWrite = "platform.tenant:write",
        /// See installed plugin versions (operators).
        PlatformPluginRead = "platform.plugin:read",
        /// Install and remove plugin versions (operators).
        PlatformPluginWrite = "platform.plugin:write",
        /// See gateway routes (operators).
        PlatformRouteRead = "platform.route:read",
        /// Change gateway routes (operators).
        PlatformRouteWrite = "platform.route:write",
        /// Read the operator's audit log.
        PlatformAuditRead = "platform.audit:read",
        /// See health, jobs and live figures of the platform.
        PlatformMonitor = "platform:monitor",
    }
}

text_enum! {
    /// A member's role in a tenant (product §3).
    pub enum Role {
        /// Everything in the tenant.
        Owner = "owner",
        /// Everything but money settings of the owner.
        Admin = "admin",
        /// Orders and usage.
        Billing = "billing",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Uses the product.
        Member = "member",
    }
}

text_enum! {
    /// An operator's role on the platform.
    pub enum OperatorRole {
        /// Everything, on the platform and inside tenants (audited).
        Operator = "operator",
        /// Reads the platform, changes nothing.
        Viewer = "viewer",
    }
}

impl Permission {
    /// Whether this permission belongs to the operators' realm.
    #[must_use]
    pub fn is_platform(self) -> bool {
        self.as_str().starts_with("platform")
    }
    /// Whether this permission only reads.
    #[must_use]
    pub fn is_read(self) -> bool {
        self.as_str().ends_with(":read") || self == Self::PlatformMonitor
    }
}

impl Role {
    /// Whether the role holds the permission. Platform permissions are held by no tenant role.
    #[must_use]
    pub fn allows(self, p: Permission) -> bool {
        use Permission as P;
        if p.is_platform() {
            return false;
        }
        match self {
            Self::Owner => p != P::QuotaWrite,
            Self::Admin => !matches!(p, P::QuotaWrite | P::OrderWrite),
            Self::Billing => {
                matches!(
                    p,
                    P::SelfManage
                        | P::GatewayCall
                        | P::OrderRead
                        | P::OrderWrite
                        | P::UsageRead
                        | P::ReportRead
                        | P::ReportRun
                        | P::TenantRead
                )
            }
            Self::Auditor => p.is_read() || p == P::SelfManage,
            Self::Member => matches!(p, P::SelfManage | P::GatewayCall | P::UsageRead | P::TenantRead),
        }
    }
    /// Rank for "nobody edits an equal or higher administrator"; higher ranks first.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 4,
            Self::Admin => 3,
            Self::Billing | Self::Auditor => 2,
            Self::Member => 1,
        }
    }
}

impl OperatorRole {
    /// Whether the role holds the permission, in the platform's realm or (audited) inside a tenant.
    #[must_use]
    pub fn allows(self, p: Permission) -> bool {
        match self {
            // Calling the customer's product is the customer's business: an operator never does it for them.
            Self::Operator => p != Permission::GatewayCall,
            Self::Viewer => p.is_read() && p.is_platform() || p == Permission::SelfManage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tenant_role_reaches_the_platform() {
        for role in Role::ALL {
            for p in Permission::ALL.iter().filter(|p| p.is_platform()) {
                assert!(!role.allows(*p), "{role} must not hold {p}");
            }
        }
    }

    #[test]
    fn an_auditor_changes_nothing() {
        for p in Permission::ALL.iter().filter(|p| Role::Auditor.allows(**p)) {
            assert!(p.is_read() || *p == Permission::SelfManage, "{p}");
        }
    }
}
