//! What a plan says about plugins. The operator can say otherwise, for a plan or for a tenant; what nobody names is not
//! bounded beyond what bounds every call.

use super::Plan;
use crate::{FieldError, plugins::port::PluginKind};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a tenant's plugins may do and use. `None` leaves it open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginTerms {
    /// Plugins enabled at most.
    pub installations: Option<u32>,
    /// Kinds of plugins that may be enabled.
    pub kinds: Option<Vec<PluginKind>>,
    /// Host interfaces beyond those that reach nothing outside the call.
    pub interfaces: Option<Vec<String>>,
    /// Memory of a call, bytes.
    pub memory_bytes: Option<u64>,
    /// Wall time of a call that somebody waits for, milliseconds.
    pub call_ms: Option<u64>,
    /// Calls of one installation at the same time.
    pub concurrency: Option<u32>,
    /// Calls per second, over all of the tenant's plugins; five seconds' worth may come at once.
    pub calls_per_second: Option<u32>,
    /// Processor time within a minute, milliseconds.
    pub cpu_ms_per_minute: Option<u64>,
    /// Bytes sent and received within a day (UTC).
    pub egress_bytes_per_day: Option<u64>,
    /// Key-value state of all of the tenant's plugins together, bytes.
    pub kv_bytes: Option<u64>,
}

const MIB: u64 = 1 << 20;

impl PluginTerms {
    /// What the platform itself says for a plan. Wide enough for any honest use: these are there so that one tenant
    /// can't take the machine from the others.
    #[must_use]
    pub fn built_in(plan: &Plan) -> Self {
        let (per_second, cpu_s, egress_gib, kv_mib) = match plan.code {
            "enterprise" => return Self::default(),
            "professional" => (5_000, 120, 100, 1_024),
            "basic" => (2_000, 60, 10, 256),
            _ => (1_000, 30, 1, 64),
        };
        Self {
            calls_per_second: Some(per_second),
            cpu_ms_per_minute: Some(cpu_s * 1_000),
            egress_bytes_per_day: Some(egress_gib * 1_024 * MIB),
            kv_bytes: Some(kv_mib * MIB),
            ..Self::default()
        }
    }

    /// These, and what they leave open as `base` says.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        Self {
            installations: self.installations.or(base.installations),
            kinds: self.kinds.or_else(|| base.kinds.clone()),
            interfaces: self.interfaces.or_else(|| base.interfaces.clone()),
            memory_bytes: self.memory_bytes.or(base.memory_bytes),
            call_ms: self.call_ms.or(base.call_ms),
            concurrency: self.concurrency.or(base.concurrency),
            calls_per_second: self.calls_per_second.or(base.calls_per_second),
            cpu_ms_per_minute: self.cpu_ms_per_minute.or(base.cpu_ms_per_minute),
            egress_bytes_per_day: self.egress_bytes_per_day.or(base.egress_bytes_per_day),
            kv_bytes: self.kv_bytes.or(base.kv_bytes),
        }
    }

    /// Wall time of a call that somebody waits for.
    #[must_use]
    pub fn wall(&self) -> Option<Duration> {
        self.call_ms.map(Duration::from_millis)
    }

    /// What can't be meant.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let mut at_least = |at: &str, value: Option<u64>, least: u64| {
            if value.is_some_and(|v| v < least) {
                wrong.push(
                    FieldError::new(
                        at,
                        "minimum",
                        format!("this is less than {least}, with which no plugin works"),
                    )
                    .hint(
                        "leave it out for no bound; to stop a plugin altogether: aistack plugin ceiling set --forbid",
                    ),
                );
            }
        };
        at_least("/memory_bytes", self.memory_bytes, MIB);
        at_least("/call_ms", self.call_ms, 50);
        at_least("/concurrency", self.concurrency.map(u64::from), 1);
        at_least("/calls_per_second", self.calls_per_second.map(u64::from), 1);
        at_least("/cpu_ms_per_minute", self.cpu_ms_per_minute, 1);
        for (i, name) in self.interfaces.iter().flatten().enumerate() {
            if !crate::plugins::manifest::INTERFACES.contains(&name.as_str()) {
                wrong.push(unknown_interface(&format!("/interfaces/{i}"), name));
            }
        }
        wrong
    }
}

/// There is no such interface.
pub(crate) fn unknown_interface(at: &str, name: &str) -> FieldError {
    FieldError::new(at, "not_allowed", format!("there is no host interface {name:?}"))
        .hint(format!("one of {}", crate::plugins::manifest::INTERFACES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tenant_has_of_its_own_stands_over_the_plan() {
        let plan = PluginTerms::built_in(Plan::of("free"));
        let own = PluginTerms {
            calls_per_second: Some(7),
            ..PluginTerms::default()
        };
        let both = own.over(&plan);
        assert_eq!((both.calls_per_second, both.kv_bytes), (Some(7), plan.kv_bytes));
        assert_eq!(PluginTerms::built_in(Plan::of("enterprise")), PluginTerms::default());
    }

    #[test]
    fn bounds_with_which_nothing_works_are_refused() {
        let terms = PluginTerms {
            calls_per_second: Some(0),
            interfaces: Some(vec!["http".to_owned(), "htpp".to_owned()]),
            ..PluginTerms::default()
        };
        let at: Vec<_> = terms.faults().into_iter().map(|e| e.pointer).collect();
        assert_eq!(at, ["/calls_per_second", "/interfaces/1"]);
    }
}
