//! The people who can sign in, the same at every identity provider.

use serde_json::{Value, json};

/// Somebody.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) sub: &'static str,
    pub(crate) full_name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) email_verified: bool,
    pub(crate) phone: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) locale: &'static str,
}

pub(crate) const PEOPLE: [Person; 3] = [
    Person {
        name: "alice",
        sub: "sim-0001",
        full_name: "Alice Example",
        email: "alice@example.test",
        email_verified: true,
        phone: "+441632960001",
        groups: &["staff", "admins"],
        locale: "en-GB",
    },
    Person {
        name: "bob",
        sub: "sim-0002",
        full_name: "Bob Example",
        email: "bob@example.test",
        email_verified: false,
        phone: "+441632960002",
        groups: &["staff"],
        locale: "en-GB",
    },
    Person {
        name: "zhang",
        sub: "sim-0003",
        full_name: "张伟",
        email: "zhang@example.test",
        email_verified: true,
        phone: "+8613800000003",
        groups: &["员工"],
        locale: "zh-CN",
    },
];

/// By name, subject or address.
pub(crate) fn find(who: &str) -> Option<&'static Person> {
    static ALL: [Person; 3] = PEOPLE;
    ALL.iter().find(|p| p.name == who || p.sub == who || p.email == who)
}

impl Person {
    /// Everything that is known.
    pub(crate) fn claims(&self) -> Value {
        json!({"sub": self.sub, "preferred_username": self.name, "name": self.full_name, "locale": self.locale,
            "email": self.email, "email_verified": self.email_verified, "phone_number": self.phone, "groups": self.groups})
    }

    /// What a scope shows.
    pub(crate) fn claims_of(&self, scope: &str) -> Value {
        let shown: &[(&str, &[&str])] = &[
            ("profile", &["preferred_username", "name", "locale", "groups"]),
            ("email", &["email", "email_verified"]),
            ("phone", &["phone_number"]),
            ("groups", &["groups"]),
        ];
        let all = self.claims();
        let mut out = json!({"sub": self.sub});
        for (name, claims) in shown {
            if scope.split(' ').any(|s| s == *name) {
                claims.iter().for_each(|claim| out[*claim] = all[*claim].clone());
            }
        }
        out
    }
}
