//! A connection's rules about accounts: who may get one, with which role, and when an identity may be linked to an
//! account that is there already. They stand in the installation's config under `provisioning`; the platform reads
//! them, the plugin never sees them.

use aistack_core::Role;
use serde::Deserialize;
use serde_json::{Value, json};

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Make an account at the first sign-in.
    pub create: bool,
    /// Role of a member whose groups map to nothing.
    pub default_role: Role,
    /// Roles by group.
    pub group_roles: Vec<GroupRole>,
    /// Link to an existing account when the provider vouches for the address and the account's address is verified.
    pub link_verified_email: bool,
    /// Domains of addresses the connection may speak for; empty for any.
    pub email_domains: Vec<String>,
}

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GroupRole {
    /// The group's stable id at the provider.
    pub group: String,
    /// The role.
    pub role: Role,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            create: true,
            default_role: Role::Member,
            group_roles: Vec::new(),
            link_verified_email: false,
            email_domains: Vec::new(),
        }
    }
}

impl Policy {
    /// Reads the rules from the platform's part of a config. An unreadable part gives the strictest rules: the schema
    /// has accepted it once, so this is damage, and damage must not open doors.
    #[must_use]
    pub fn read(host_config: &Value) -> Self {
        if host_config.is_null() {
            return Self::default();
        }
        serde_json::from_value(host_config.clone()).unwrap_or_else(|e| {
            tracing::error!(error = %e, "the account rules of a connection can't be read; no accounts are made");
            Self {
                create: false,
                ..Self::default()
            }
        })
    }
    /// The role for these groups: the highest that any of them maps to, never owner.
    #[must_use]
    pub fn role_for(&self, groups: &[String]) -> Role {
        self.group_roles
            .iter()
            .filter(|m| m.role != Role::Owner && groups.contains(&m.group))
            .map(|m| m.role)
            .max_by_key(|r| r.rank())
            .unwrap_or(if self.default_role == Role::Owner {
                Role::Member
            } else {
                self.default_role
            })
    }
    /// Whether the connection may speak for an address.
    #[must_use]
    pub fn domain_allowed(&self, email: Option<&str>) -> bool {
        self.email_domains.is_empty()
            || email
                .and_then(|e| e.rsplit_once('@'))
                .is_some_and(|(_, d)| self.email_domains.iter().any(|a| a.eq_ignore_ascii_case(d)))
    }
}

/// Names of the roles, for forms in this language.
fn role_names(language: &str) -> Value {
    if language == "zh-CN" {
        json!({ "admin": "管理员", "billing": "财务", "auditor": "审计员", "member": "成员" })
    } else {
        json!({ "admin": "Admin", "billing": "Billing", "auditor": "Auditor", "member": "Member" })
    }
}

/// The JSON Schema of these rules, spliced into the config schema of every identity plugin. No mapping reaches owner.
#[must_use]
pub fn schema() -> Value {
    json!({
        "type": "object",
        "title": "Accounts",
        "description": "Who gets an account through this connection, and with which role.",
        "x-aistack": { "group": "provisioning", "order": 900, "i18n": { "zh-CN": { "title": "账号", "description": "通过此连接登录的人如何获得账号和角色。" } } },
        "default": {},
        "additionalProperties": false,
        "properties": {
            "create": {
                "type": "boolean", "default": true,
                "title": "Make accounts at first sign-in",
                "x-aistack": { "i18n": { "zh-CN": { "title": "首次登录时创建账号" } } }
            },
            "default_role": {
                "enum": ["member", "billing", "auditor"], "default": "member",
                "title": "Role of new members",
                "x-aistack": { "widget": "select", "i18n": { "en": { "enum": role_names("en") }, "zh-CN": { "title": "新成员的角色", "enum": role_names("zh-CN") } } }
            },
            "group_roles": {
                "type": "array", "default": [], "maxItems": 200,
                "title": "Roles by group",
                "x-aistack": { "i18n": { "zh-CN": { "title": "按组分配角色" } } },
                "items": {
                    "type": "object", "additionalProperties": false, "required": ["group", "role"],
                    "properties": {
                        "group": { "type": "string", "minLength": 1, "maxLength": 300, "title": "Group id",
                            "x-aistack": { "i18n": { "zh-CN": { "title": "组标识" } } } },
                        "role": { "enum": ["admin", "billing", "auditor", "member"], "title": "Role",
                            "x-aistack": { "widget": "select", "i18n": { "en": { "enum": role_names("en") }, "zh-CN": { "title": "角色", "enum": role_names("zh-CN") } } } }
                    }
                }
            },
            "link_verified_email": {
                "type": "boolean", "default": false,
                "title": "Link to existing accounts by verified e-mail address",
                "description": "Only when this provider is the authority for the address and the account's address is verified here too.",
                "x-aistack": { "i18n": { "zh-CN": { "title": "按已验证的邮箱关联已有账号", "description": "仅当此身份源对该邮箱有权威性、且本地账号的邮箱也已验证时。" } } }
            },
            "email_domains": {
                "type": "array", "default": [], "maxItems": 100,
                "title": "E-mail domains allowed to sign in",
                "x-aistack": { "i18n": { "zh-CN": { "title": "允许登录的邮箱域名" } } },
                "items": { "type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$" }
            }
        }
    })
}
