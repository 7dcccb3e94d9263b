//! The knobs: what may be armed, what is, and for how many more operations.

use crate::wire::{Refusal, Text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a knob takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnobKind {
    /// `true` or `false`.
    Flag,
    /// A whole number from 0 to the bound.
    Number(u64),
    /// `true` (old and new are published for a while) or `"abrupt"` (only the new one is). Happens at once.
    Rotation,
}

/// A way to misbehave.
#[derive(Debug, Clone, Copy)]
pub struct Knob {
    /// Its name in `POST /_sim/faults`.
    pub name: &'static str,
    /// What it takes.
    pub kind: KnobKind,
    /// What it does.
    pub text: Text,
}

impl Knob {
    pub(crate) const fn flag(name: &'static str, en: &'static str, zh: &'static str) -> Self {
        Self {
            name,
            kind: KnobKind::Flag,
            text: Text { en, zh },
        }
    }
}

/// Every simulator has these.
pub(crate) const EVERYWHERE: [Knob; 2] = [
    Knob {
        name: "status",
        kind: KnobKind::Number(599),
        text: Text {
            en: "answer with this HTTP status instead of doing anything",
            zh: "不执行请求，直接返回该 HTTP 状态码",
        },
    },
    Knob {
        name: "delay_ms",
        kind: KnobKind::Number(600_000),
        text: Text {
            en: "wait this long before answering, in milliseconds",
            zh: "应答前等待的毫秒数",
        },
    },
];
pub(crate) const TIMEOUT_AFTER_CHARGE: Knob = Knob::flag(
    "timeout_after_charge",
    "do what was asked, then never answer (with delay_ms: cut the connection after that time)",
    "请求已执行但不应答（设置 delay_ms 时在该时间后断开连接）",
);
pub(crate) const DUPLICATE: Knob = Knob::flag("duplicate", "deliver each webhook twice", "每个通知投递两次");
pub(crate) const OUT_OF_ORDER: Knob = Knob::flag(
    "out_of_order",
    "hold a webhook back until the next one, and deliver the later one first",
    "暂存通知，待下一个通知到来后先投递后者",
);
pub(crate) const BAD_SIGNATURE: Knob = Knob::flag("bad_signature", "sign wrongly", "签名错误");
pub(crate) const STALE: Knob = Knob::flag("stale", "sign with a time long past", "使用过期的时间签名");
pub(crate) const ROTATE_CERTIFICATE: Knob = Knob {
    name: "rotate_certificate",
    kind: KnobKind::Rotation,
    text: Text {
        en: "sign with a new key from now on; true: the old one stays published, \"abrupt\": it does not",
        zh: "立即启用新密钥；true：旧密钥仍然公布，\"abrupt\"：仅公布新密钥",
    },
};

/// How keys are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    Overlapping,
    Abrupt,
}

#[derive(Debug, Default)]
struct State {
    armed: Map<String, Value>,
    next: Option<u64>,
}

/// The knobs of one running simulator. Clones share their state.
#[derive(Debug, Clone)]
pub struct Faults {
    known: Arc<Vec<Knob>>,
    state: Arc<Mutex<State>>,
}

impl Faults {
    pub(crate) fn new(own: &[Knob]) -> Self {
        Self {
            known: Arc::new(EVERYWHERE.iter().chain(own).copied().collect()),
            state: Arc::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The knobs that may be armed.
    #[must_use]
    pub fn known(&self) -> &[Knob] {
        &self.known
    }

    /// Arms and disarms. Returns the rotation that was asked for, which the caller carries out.
    pub(crate) fn set(&self, wanted: &Value) -> Result<Option<Rotation>, Refusal> {
        let example = "for example {\"bad_signature\": true, \"next\": 1}";
        let Some(wanted) = wanted.as_object() else {
            return Err(Refusal::new(
                400,
                "not_an_object",
                "the body is not a JSON object",
                example,
            ));
        };
        let mut rotation = None;
        for (name, value) in wanted.iter().filter(|(name, _)| *name != "next") {
            let Some(knob) = self.known.iter().find(|k| k.name == name) else {
                let names: Vec<_> = self.known.iter().map(|k| k.name).collect();
                let hint = format!("known here: {}, next", names.join(", "));
                return Err(Refusal::new(
                    400,
                    "knob_unknown",
                    format!("there is no knob {name:?}"),
                    hint,
                ));
            };
            let fits = match knob.kind {
                KnobKind::Flag => value.is_boolean(),
                KnobKind::Number(most) => value.is_null() || value.as_u64().is_some_and(|n| n <= most),
                KnobKind::Rotation => value.is_boolean() || value == "abrupt",
            };
            if !fits || (name == "status" && value.as_u64().is_some_and(|n| n != 0 && n < 200)) {
                let hint = match knob.kind {
                    KnobKind::Flag => "true or false".to_owned(),
                    KnobKind::Number(most) => format!("a whole number up to {most}, 0 switches it off"),
                    KnobKind::Rotation => "true or \"abrupt\"".to_owned(),
                };
                return Err(Refusal::new(
                    400,
                    "knob_value",
                    format!("{name} can't be {value}"),
                    hint,
                ));
            }
            if knob.kind == KnobKind::Rotation && value != false {
                rotation = Some(if value == "abrupt" {
                    Rotation::Abrupt
                } else {
                    Rotation::Overlapping
                });
            }
        }
        let next = match wanted.get("next") {
            None | Some(Value::Null) => None,
            Some(next) => match next.as_u64() {
                Some(n) => (n > 0).then_some(n),
                None => return Err(Refusal::new(400, "knob_value", "next is not a whole number", example)),
            },
        };
        let mut state = self.state();
        for (name, value) in wanted
            .iter()
            .filter(|(name, _)| *name != "next" && *name != "rotate_certificate")
        {
            if value.is_null() || *value == false || *value == 0 {
                state.armed.remove(name);
            } else {
                state.armed.insert(name.clone(), value.clone());
            }
        }
        state.next = next;
        Ok(rotation)
    }

    /// Arms one knob for the next `count` operations, or until it is changed.
    ///
    /// # Errors
    /// Says what is wrong when there is no such knob or it does not take that value.
    pub fn arm(&self, knob: &str, value: Value, count: Option<u64>) -> Result<(), String> {
        let mut wanted = Map::new();
        wanted.insert(knob.to_owned(), value);
        wanted.insert("next".to_owned(), json!(count));
        match self.set(&Value::Object(wanted)) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err("a rotation goes through POST /_sim/faults".to_owned()),
            Err(refusal) => Err(format!("{}; {}", refusal.detail, refusal.hint)),
        }
    }

    /// Disarms everything.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// What is armed, with `next` when it is limited.
    #[must_use]
    pub fn armed(&self) -> Value {
        let state = self.state();
        let mut out = state.armed.clone();
        if let Some(next) = state.next {
            out.insert("next".to_owned(), json!(next));
        }
        Value::Object(out)
    }

    /// A look for one operation.
    pub(crate) fn look(&self) -> Armed {
        Armed {
            knobs: self.state().armed.clone(),
            used: Mutex::default(),
        }
    }

    /// The operation is over: when a knob took part, the count goes down. Returns the knobs that did.
    pub(crate) fn settle(&self, armed: &Armed) -> Vec<&'static str> {
        let used: Vec<_> = armed.used().iter().copied().collect();
        let mut state = self.state();
        if !used.is_empty()
            && let Some(next) = state.next
        {
            state.next = Some(next.saturating_sub(1)).filter(|n| *n > 0);
            if state.next.is_none() {
                state.armed.clear();
            }
        }
        used
    }
}

/// What is armed during one operation, and what of it took part.
#[derive(Debug, Default)]
pub(crate) struct Armed {
    knobs: Map<String, Value>,
    used: Mutex<BTreeSet<&'static str>>,
}

impl Armed {
    fn used(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the knob is armed. Asking means acting on it.
    pub(crate) fn on(&self, knob: &'static str) -> bool {
        let on = self.knobs.get(knob).is_some_and(|v| *v == true);
        if on {
            self.used().insert(knob);
        }
        on
    }

    /// The number a knob is set to. Asking means acting on it.
    pub(crate) fn number(&self, knob: &'static str) -> Option<u64> {
        let number = self.knobs.get(knob).and_then(Value::as_u64);
        if number.is_some() {
            self.used().insert(knob);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_knob_acts_that_often_and_only_then_counts() {
        let faults = Faults::new(&[BAD_SIGNATURE, ROTATE_CERTIFICATE]);
        faults.arm("bad_signature", json!(true), Some(2)).unwrap();
        for expected in [true, true, false] {
            // An operation that never asked does not count.
            assert!(faults.settle(&faults.look()).is_empty());
            let armed = faults.look();
            assert_eq!(armed.on("bad_signature"), expected);
            faults.settle(&armed);
        }
        assert_eq!(faults.armed(), json!({}));
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        let faults = Faults::new(&[BAD_SIGNATURE, ROTATE_CERTIFICATE]);
        for (wanted, code) in [
            (json!([]), "not_an_object"),
            (json!({"bad_sgnature": true}), "knob_unknown"),
            (json!({"bad_signature": 1}), "knob_value"),
            (json!({"status": 99}), "knob_value"),
            (json!({"status": 600}), "knob_value"),
            (json!({"next": "two"}), "knob_value"),
            (json!({"rotate_certificate": "slowly"}), "knob_value"),
        ] {
            let refusal = faults.set(&wanted).unwrap_err();
            assert_eq!(refusal.code, code, "{wanted}");
            assert!(!refusal.hint.is_empty());
        }
        assert_eq!(faults.armed(), json!({}), "a refused set changes nothing");
        assert_eq!(
            faults.set(&json!({"rotate_certificate": "abrupt"})).unwrap(),
            Some(Rotation::Abrupt)
        );
        assert_eq!(faults.armed(), json!({}));
    }
}
