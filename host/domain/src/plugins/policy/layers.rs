//! What an installation may do: what its manifest declares, as far as the operator, the plan and the tenant let it. Each
//! layer cuts by itself, and every cut is told with who made it.

use crate::{
    plugins::{
        grants::{self, GrantRequest, normal_host},
        port::Grants,
    },
    quota::PluginTerms,
};
use aistack_core::text_enum;
use serde::Serialize;

text_enum! {
    /// Who cut something.
    pub enum CutBy {
        /// The operator's ceiling for the plugin.
        Operator = "operator",
        /// The tenant's plan, or its own terms.
        Plan = "plan",
        /// Whoever enabled the plugin, or changed its grants.
        Tenant = "tenant",
    }
}

/// Something a manifest declares that an installation may not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cut {
    /// The member of the grants, e.g. `http_hosts`.
    pub kind: &'static str,
    /// What of it.
    pub what: String,
    /// Who cut it.
    pub by: CutBy,
}

/// Interfaces that reach nothing outside the call: no layer takes them away.
const HARMLESS: [&str; 5] = ["log", "config", "clock", "random", "crypto"];

fn keep_interfaces(have: &mut Vec<String>, allowed: &[String]) {
    have.retain(|i| HARMLESS.contains(&i.as_str()) || allowed.contains(i));
}

/// Whether a ceiling's entry means this `host:port`: itself, or with `*.` in front any name below it.
fn covers(entry: &str, host: &str, default_port: u16) -> bool {
    match entry.strip_prefix("*.") {
        Some(rest) => normal_host(rest, default_port).is_some_and(|rest| {
            host.strip_suffix(rest.as_str())
                .is_some_and(|front| front.ends_with('.'))
        }),
        None => normal_host(entry, default_port).is_some_and(|entry| entry == host),
    }
}

fn keep_hosts(have: &mut Vec<String>, allowed: &[String], default_port: u16) {
    have.retain(|host| allowed.iter().any(|entry| covers(entry, host, default_port)));
}

/// Cuts grants down to a ceiling.
fn under(mut g: Grants, ceiling: &GrantRequest) -> Grants {
    if let Some(allowed) = &ceiling.interfaces {
        keep_interfaces(&mut g.interfaces, allowed);
    }
    if let Some(allowed) = &ceiling.http_hosts {
        keep_hosts(&mut g.http_hosts, allowed, 443);
    }
    if let Some(allowed) = &ceiling.dial_targets {
        keep_hosts(&mut g.dial_targets, allowed, 636);
    }
    if let Some(allowed) = &ceiling.private_hosts {
        keep_hosts(&mut g.private_hosts, allowed, 80);
    }
    if let Some(allowed) = &ceiling.datasets {
        g.datasets.retain(|d| allowed.contains(d));
    }
    if let Some(allowed) = &ceiling.secrets {
        g.secrets.retain(|name, grant| {
            allowed.get(name).is_some_and(|a| {
                grant.uses.retain(|u| a.uses.contains(u));
                keep_hosts(&mut grant.hosts, &a.hosts, 443);
                true
            })
        });
    }
    g.kv_bytes = ceiling.kv_bytes.map_or(g.kv_bytes, |most| g.kv_bytes.min(most));
    g.kv_keys = ceiling.kv_keys.map_or(g.kv_keys, |most| g.kv_keys.min(most));
    g
}

fn within_plan(mut g: Grants, terms: &PluginTerms) -> Grants {
    if let Some(allowed) = &terms.interfaces {
        keep_interfaces(&mut g.interfaces, allowed);
    }
    g.kv_bytes = terms.kv_bytes.map_or(g.kv_bytes, |most| g.kv_bytes.min(most));
    g
}

/// What one layer took from what is declared.
fn cuts(declared: &Grants, left: &Grants, by: CutBy, into: &mut Vec<Cut>) {
    let mut note = |kind: &'static str, what: String| into.push(Cut { kind, what, by });
    let lists = [
        ("interfaces", &declared.interfaces, &left.interfaces),
        ("http_hosts", &declared.http_hosts, &left.http_hosts),
        ("dial_targets", &declared.dial_targets, &left.dial_targets),
        ("datasets", &declared.datasets, &left.datasets),
    ];
    for (kind, had, has) in lists {
        for gone in had.iter().filter(|h| !has.contains(h)) {
            note(kind, gone.clone());
        }
    }
    for (name, had) in &declared.secrets {
        let Some(has) = left.secrets.get(name) else {
            note("secrets", name.clone());
            continue;
        };
        for gone in had.uses.iter().filter(|u| !has.uses.contains(u)) {
            note("secrets", format!("{name}: {gone}"));
        }
        for gone in had.hosts.iter().filter(|h| !has.hosts.contains(h)) {
            note("secrets", format!("{name}: to {gone}"));
        }
    }
    if left.kv_bytes < declared.kv_bytes {
        note("kv_bytes", format!("{} of {}", left.kv_bytes, declared.kv_bytes));
    }
    if left.kv_keys < declared.kv_keys {
        note("kv_keys", format!("{} of {}", left.kv_keys, declared.kv_keys));
    }
}

/// What is in force of a declaration, and what each layer cut from it.
#[must_use]
pub fn layers(
    declared: &Grants,
    ceilings: &[&GrantRequest],
    terms: &PluginTerms,
    consent: &Grants,
) -> (Grants, Vec<Cut>) {
    let mut all = Vec::new();
    let operator = ceilings.iter().fold(declared.clone(), |g, ceiling| under(g, ceiling));
    cuts(declared, &operator, CutBy::Operator, &mut all);
    let plan = within_plan(declared.clone(), terms);
    cuts(declared, &plan, CutBy::Plan, &mut all);
    cuts(
        declared,
        &grants::within(consent.clone(), declared),
        CutBy::Tenant,
        &mut all,
    );
    let opened = grants::within(consent.clone(), declared);
    let mut granted = ceilings
        .iter()
        .fold(within_plan(opened, terms), |g, ceiling| under(g, ceiling));
    // A host that can't be reached is not opened either.
    let (http, dial) = (granted.http_hosts.clone(), granted.dial_targets.clone());
    granted.private_hosts.retain(|h| http.contains(h) || dial.contains(h));
    all.sort();
    (granted, all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::port::SecretGrant;

    fn declared() -> Grants {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let key = SecretGrant {
            uses: texts(&["http:bearer", "reveal"]),
            hosts: texts(&["api.pay.example:443"]),
        };
        Grants {
            interfaces: texts(&["log", "crypto", "kv", "http", "dial"]),
            http_hosts: texts(&["api.pay.example:443", "pay.example:443", "api.pay.example:8443"]),
            dial_targets: texts(&["ldap.example:636"]),
            secrets: [("key".to_owned(), key)].into(),
            kv_bytes: 1_000,
            kv_keys: 10,
            ..Grants::default()
        }
    }

    fn ceiling(json: serde_json::Value) -> GrantRequest {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn every_layer_cuts_and_is_named() {
        let d = declared();
        let all = layers(&d, &[], &PluginTerms::default(), &d);
        assert_eq!(all, (d.clone(), vec![]));

        let one = ceiling(serde_json::json!({ "interfaces": ["http", "kv"], "http_hosts": ["*.pay.example"] }));
        let two = ceiling(
            serde_json::json!({ "secrets": { "key": { "uses": ["http:bearer"], "hosts": ["*.pay.example"] } } }),
        );
        let terms = PluginTerms {
            interfaces: Some(vec!["http".to_owned()]),
            ..PluginTerms::default()
        };
        let mut consent = d.clone();
        consent.kv_keys = 5;
        consent.http_hosts.remove(2);
        let (granted, cut) = layers(&d, &[&one, &two], &terms, &consent);
        assert_eq!(granted.interfaces, ["log", "crypto", "http"]);
        assert_eq!(
            granted.http_hosts,
            ["api.pay.example:443"],
            "a name below, at that port"
        );
        assert_eq!(granted.secrets["key"].uses, ["http:bearer"]);
        assert_eq!(granted.kv_keys, 5);
        let told: Vec<String> = cut.iter().map(|c| format!("{} {} {}", c.by, c.kind, c.what)).collect();
        for expected in [
            "operator interfaces dial",
            "operator http_hosts pay.example:443",
            "operator http_hosts api.pay.example:8443",
            "operator secrets key: reveal",
            "plan interfaces dial",
            "plan interfaces kv",
            "tenant http_hosts api.pay.example:8443",
            "tenant kv_keys 5 of 10",
        ] {
            assert!(told.iter().any(|t| t == expected), "{expected} of {told:?}");
        }
        assert_eq!(told.len(), 8, "{told:?}");
    }

    #[test]
    fn a_wildcard_means_names_below_and_not_beside() {
        assert!(covers("*.pay.example", "a.b.pay.example:443", 443));
        assert!(!covers("*.pay.example", "pay.example:443", 443));
        assert!(!covers("*.pay.example", "evilpay.example:443", 443));
        assert!(!covers("*.pay.example", "a.pay.example:8443", 443));
        assert!(covers("PAY.example", "pay.example:443", 443));
    }
}
