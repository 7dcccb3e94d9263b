//! What holds in every world: the manifest and the schema are in order, and `describe`, `check` and `migrate` behave.

use crate::manifest::Manifest;
use crate::{FakeHost, context, schema};
use aistack_sdk::{Context, Fault, Feature, Finding, Host};
use serde_json::Value;
use std::collections::BTreeSet;

/// A plugin under test.
pub struct Plugin<'a, P> {
    /// The plugin.
    pub plugin: P,
    /// Text of its `aistack-plugin.toml`.
    pub manifest: &'a str,
    /// Text of its `config.schema.json`.
    pub schema: &'a str,
    /// A working configuration.
    pub config: Value,
    /// A platform on which everything works: made by [`FakeHost::for_plugin`], with secrets and the provider's answers.
    /// Called often; each call makes a new one.
    pub host: &'a dyn Fn(Value) -> FakeHost,
}

type Migrate<'a> = dyn Fn(&Host, &Context, &str, Value) -> Result<Value, Fault> + 'a;

/// The three functions, whatever trait they come from.
pub(super) struct Lifecycle<'a> {
    pub(super) describe: &'a dyn Fn() -> Vec<Feature>,
    pub(super) check: &'a dyn Fn(&Host, &Context, bool) -> Vec<Finding>,
    pub(super) migrate: &'a Migrate<'a>,
}

impl<P> Plugin<'_, P> {
    pub(super) fn working(&self) -> FakeHost {
        (self.host)(self.config.clone())
    }

    /// Returns the names of the features.
    pub(super) fn lifecycle(&self, world: &str, calls: &Lifecycle<'_>) -> BTreeSet<String> {
        let manifest = Manifest::parse(self.manifest).expect("aistack-plugin.toml is readable");
        assert_eq!(manifest.world_name(), world, "the manifest's world");
        assert_eq!(manifest.complaints(), Vec::<String>::new(), "aistack-plugin.toml");
        let config_schema = serde_json::from_str(self.schema).expect("config.schema.json is JSON");
        let secrets: Vec<_> = manifest.secret.iter().map(|s| s.name.clone()).collect();
        assert_eq!(
            schema::complaints(&config_schema, &secrets),
            Vec::<String>::new(),
            "config.schema.json"
        );

        let features = (calls.describe)();
        let names: BTreeSet<_> = features.iter().map(|f| f.name.clone()).collect();
        assert!(!features.is_empty(), "a plugin offers something");
        assert_eq!(names.len(), features.len(), "each feature once");
        assert!(
            features.iter().all(|f| f.extra.is_object()),
            "a feature's extra is an object"
        );
        assert_eq!((calls.describe)(), features, "describe depends on nothing");

        let host = self.working();
        for deep in [false, true] {
            let bad: Vec<_> = (calls.check)(&host, &context(), deep)
                .into_iter()
                .filter(|f| !f.ok)
                .collect();
            assert_eq!(bad, Vec::new(), "check of a working configuration (deep: {deep})");
            assert!(
                deep || host.requests().is_empty(),
                "a check that is not deep stays inside"
            );
        }

        // Answers are gone: a deep check says so instead of failing.
        let config = self.config.clone();
        let cut_off = FakeHost::for_plugin(self.manifest, config);
        assert!(
            (calls.check)(&cut_off, &context(), true).iter().any(|f| !f.ok),
            "a deep check notices that nothing works"
        );
        let broken = FakeHost::for_plugin(self.manifest, serde_json::json!({"no such field": [1]}));
        for finding in (calls.check)(&broken, &context(), false) {
            assert!(!finding.message.is_empty(), "a finding says something");
        }
        assert!(
            (calls.check)(&broken, &context(), false).iter().any(|f| !f.ok),
            "check notices a broken configuration"
        );

        let same = (calls.migrate)(&host, &context(), &manifest.version, self.config.clone());
        assert_eq!(
            same,
            Ok(self.config.clone()),
            "migrating from the same version changes nothing"
        );
        names
    }
}

/// No secret may show up in what a plugin says.
pub(super) fn assert_discreet(host: &FakeHost, secrets: &[&str], faults: &[Fault]) {
    for secret in secrets {
        for line in host.logs() {
            let inside = line.message.contains(secret) || line.fields.iter().any(|(_, v)| v.contains(secret));
            assert!(!inside, "a secret stands in a log line: {}", line.message);
        }
        for fault in faults {
            let text = format!("{fault:?}");
            assert!(!text.contains(secret), "a secret stands in a fault: {}", fault.code);
        }
    }
}

/// A fault as the contract wants it.
pub(super) fn assert_well_formed(fault: &Fault) {
    let snake = !fault.code.is_empty()
        && fault
            .code
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    assert!(snake, "a fault's code is in snake case: {:?}", fault.code);
    assert!(
        !fault.message.is_empty(),
        "{}: a fault says something to the operator",
        fault.code
    );
}
