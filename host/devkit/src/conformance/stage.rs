//! One case's stage: a platform of its own, and calls on it.

use super::{Suite, Trouble, Verdict, ensure};
use crate::{ops, run::Platform};
use aistack_domain::plugins::{
    manifest::CallClass,
    port::{Fault, FaultKind},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::sync::Arc;

pub(super) struct Stage<'a> {
    pub(super) suite: &'a Suite,
    pub(super) platform: Arc<Platform>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(suite: &'a Suite) -> Result<Self, Trouble> {
        Ok(Self {
            suite,
            platform: Platform::new(&suite.settings)?,
        })
    }

    /// Calls an operation.
    pub(super) async fn call(&self, operation: &str, arguments: Value) -> Result<Result<Value, Fault>, Trouble> {
        let s = self.suite;
        let called = ops::call(&s.runner, &s.settings, &s.dir, &self.platform, operation, arguments).await?;
        Ok(called.result)
    }

    /// Calls with a config that nobody has checked.
    pub(super) async fn call_with(
        &self,
        config: Value,
        operation: &str,
        arguments: Value,
    ) -> Result<Result<Value, Fault>, Trouble> {
        let s = self.suite;
        let inv = s
            .runner
            .unchecked(config, &s.settings, &s.dir, &self.platform, CallClass::Ordinary)?;
        Ok(ops::on(&s.runner, inv, operation, arguments).await?)
    }

    /// The result, which has to be one.
    pub(super) async fn works(&self, operation: &str, arguments: Value) -> Result<Value, Trouble> {
        let done = self.call(operation, arguments).await?;
        done.map_err(|f| Trouble::Failed(format!("{operation} ended with the fault {}", self.told(&f))))
    }

    /// The fault, which has to be one, and as the contract wants it.
    pub(super) async fn refused(&self, operation: &str, arguments: Value, what: &str) -> Result<Fault, Trouble> {
        match self.call(operation, arguments).await? {
            Ok(value) => Err(Trouble::Failed(format!("{what}: {operation} went well, with {value}"))),
            Err(fault) => {
                well_formed(&fault)?;
                Ok(fault)
            }
        }
    }

    /// A fault with what the component last said: a panic's place and text are there.
    pub(super) fn told(&self, fault: &Fault) -> String {
        let last = self.platform.lines().pop().filter(|l| l.level == "error");
        let last = last.map_or_else(String::new, |l| format!(" (its log ends with: {})", l.message));
        format!("{fault}{last}")
    }

    /// No secret stands in what the plugin said, not even where the host had to take it out.
    pub(super) fn discreet(&self, faults: &[Fault]) -> Verdict {
        let mut secrets = Vec::new();
        for (name, secret) in &self.suite.settings.secrets {
            for version in secret.versions(&self.suite.dir)? {
                let text = String::from_utf8_lossy(version.expose_secret()).into_owned();
                secrets.push((name.clone(), text));
            }
        }
        let shows = |text: &str| {
            secrets
                .iter()
                .find(|(_, s)| s.len() >= 4 && text.contains(s.as_str()))
                .map(|(n, _)| n.clone())
        };
        for line in self.platform.lines() {
            let texts = line.fields.iter().map(|(_, v)| v).chain([&line.message]);
            for text in texts {
                ensure(!text.contains("***"), || {
                    format!("the host had to take a secret out of a log line: {}", line.message)
                })?;
                if let Some(name) = shows(text) {
                    return Err(Trouble::Failed(format!("the secret {name} stands in a log line")));
                }
            }
        }
        for fault in faults {
            if let Some(name) = shows(&format!("{fault:?}")) {
                return Err(Trouble::Failed(format!(
                    "the secret {name} stands in the fault {}",
                    fault.code
                )));
            }
        }
        Ok(())
    }
}

/// A fault as the contract wants it.
pub(super) fn well_formed(fault: &Fault) -> Verdict {
    let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure(!fault.code.is_empty() && fault.code.chars().all(snake), || {
        format!("a fault's code is in snake case, not {:?}", fault.code)
    })?;
    ensure(!fault.message.is_empty(), || {
        format!("the fault {} says nothing to the operator", fault.code)
    })
}

/// A fault of one of these kinds.
pub(super) fn of_kind(fault: &Fault, kinds: &[FaultKind], what: &str) -> Verdict {
    ensure(kinds.contains(&fault.kind), || {
        let wanted: Vec<&str> = kinds.iter().map(|k| k.as_str()).collect();
        format!(
            "{what}: the fault is {fault}; its kind has to be {}",
            wanted.join(" or ")
        )
    })
}

/// An optional operation is offered exactly when `describe` names it.
pub(super) fn agrees(feature: &str, features: &[String], done: &Result<Value, Fault>) -> Verdict {
    let named = features.iter().any(|f| f == feature);
    let unsupported = done.as_ref().is_err_and(|f| f.kind == FaultKind::Unsupported);
    ensure(named != unsupported, || {
        if named {
            format!("describe names {feature:?}, but the operation answers unsupported")
        } else {
            format!("the operation does not answer unsupported, but describe does not name {feature:?}")
        }
    })
}

/// The names of what `describe` offers.
pub(super) async fn features(suite: &Suite) -> Result<Vec<String>, Trouble> {
    let all = Stage::new(suite)?.works("lifecycle.describe", Value::Null).await?;
    let names = all.as_array().into_iter().flatten().filter_map(|f| f["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}
