//! What a change asks for beyond what an installation has: whoever runs it has to see and agree to it.

use super::declared;
use crate::plugins::{
    manifest::{CallClass, Manifest},
    port::Grants,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What is new, by kind.
pub type Added = BTreeMap<&'static str, Vec<String>>;

fn beyond(old: &[String], new: &[String]) -> Vec<String> {
    new.iter().filter(|n| !old.contains(n)).cloned().collect()
}

fn uses(g: &Grants) -> Vec<String> {
    let each = |(name, s): (&String, &crate::plugins::port::SecretGrant)| {
        let uses = s.uses.iter().map(|u| format!("{name}: {u}")).collect::<Vec<_>>();
        let hosts = s.hosts.iter().map(|h| format!("{name}: to {h}")).collect::<Vec<_>>();
        [uses, hosts].concat()
    };
    g.secrets.iter().flat_map(each).collect()
}

/// `before → after` where a number grows.
fn grown<T: PartialOrd + Copy + core::fmt::Display>(what: &str, before: T, after: T) -> Option<String> {
    (after > before).then(|| format!("{what} {before} → {after}"))
}

fn limits(old: &Manifest, new: &Manifest) -> Vec<String> {
    let mut all = Vec::new();
    for (name, class) in [
        ("call", CallClass::Ordinary),
        ("inbound", CallClass::Inbound),
        ("run", CallClass::Run),
    ] {
        let (was, is) = (old.call_limits(class), new.call_limits(class));
        all.extend(grown(&format!("{name} ms"), was.wall.as_millis(), is.wall.as_millis()));
        all.extend(grown(
            &format!("{name} cpu ms"),
            was.cpu.as_millis(),
            is.cpu.as_millis(),
        ));
    }
    let (was, is) = (
        old.call_limits(CallClass::Ordinary),
        new.call_limits(CallClass::Ordinary),
    );
    all.extend(grown("memory bytes", was.memory, is.memory));
    all
}

/// What a version with a config asks for beyond another: the versions differ in an upgrade, the configs when a host
/// list refers to a setting.
#[must_use]
pub fn added((old, old_config): (&Manifest, &Value), (new, new_config): (&Manifest, &Value)) -> Added {
    let (was, is) = (declared(old, old_config), declared(new, new_config));
    let names = |m: &Manifest| m.endpoint.iter().map(|e| e.name.clone()).collect::<Vec<_>>();
    let jobs = |m: &Manifest| m.job.iter().map(|j| j.name.clone()).collect::<Vec<_>>();
    let kv = [
        grown("bytes", was.kv_bytes, is.kv_bytes),
        grown("keys", was.kv_keys, is.kv_keys),
    ];
    let mut all = BTreeMap::from([
        ("interfaces", beyond(&was.interfaces, &is.interfaces)),
        ("http_hosts", beyond(&was.http_hosts, &is.http_hosts)),
        ("dial_targets", beyond(&was.dial_targets, &is.dial_targets)),
        ("datasets", beyond(&was.datasets, &is.datasets)),
        ("secrets", beyond(&uses(&was), &uses(&is))),
        ("kv", kv.into_iter().flatten().collect()),
        ("endpoints", beyond(&names(old), &names(new))),
        ("jobs", beyond(&jobs(old), &jobs(new))),
        ("limits", limits(old, new)),
    ]);
    all.retain(|_, v| !v.is_empty());
    all
}

/// Names a list of additions: agreeing names what was shown, so that nothing else is agreed to.
#[must_use]
pub fn digest_of(added: &Added) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(added).unwrap_or_default()))
}
