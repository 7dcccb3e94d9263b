//! The directory: people, groups within groups, and enough of both that paging and range retrieval matter.

use crate::material::Material;
use crate::material::people::PEOPLE;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const BASE: &str = "DC=sim,DC=test";
pub(super) const DOMAIN: &str = "SIM";
/// People beside those with names: more than one page, and more than one range.
const CROWD: usize = 1600;
/// `userAccountControl`: an ordinary account, and the bit that disables it.
const ORDINARY: u64 = 0x200;
const DISABLED: u64 = 0x2;

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) dn: String,
    pub(super) attributes: Vec<(String, Vec<Vec<u8>>)>,
    /// Whose password it takes to bind as it; nothing for what nobody can bind as.
    pub(super) password: Option<String>,
    pub(super) locked: bool,
}

impl Entry {
    fn new(dn: String, attributes: &[(&str, &[&str])]) -> Self {
        let values = |values: &[&str]| values.iter().map(|v| v.as_bytes().to_vec()).collect();
        let mut attributes: Vec<_> = attributes.iter().map(|(n, v)| ((*n).to_owned(), values(v))).collect();
        attributes.push(("distinguishedName".to_owned(), vec![dn.as_bytes().to_vec()]));
        Self {
            dn,
            attributes,
            password: None,
            locked: false,
        }
    }

    pub(super) fn values(&self, name: &str) -> &[Vec<u8>] {
        let name = name.split(';').next().unwrap_or_default();
        let found = self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_slice()).unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.values(name)
            .first()
            .map(|v| String::from_utf8_lossy(v).into_owned())
            .unwrap_or_default()
    }

    fn set(&mut self, name: &str, values: Vec<Vec<u8>>) {
        self.attributes.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if !values.is_empty() {
            self.attributes.push((name.to_owned(), values));
        }
    }

    pub(super) fn disabled(&self) -> bool {
        self.text("userAccountControl")
            .parse::<u64>()
            .is_ok_and(|bits| bits & DISABLED != 0)
    }
}

/// A distinguished name in the form that is compared.
pub(super) fn normal(dn: &str) -> String {
    let parts = dn.split(',').map(|part| match part.split_once('=') {
        Some((kind, value)) => format!("{}={}", kind.trim().to_lowercase(), value.trim().to_lowercase()),
        None => part.trim().to_lowercase(),
    });
    parts.collect::<Vec<_>>().join(",")
}

/// All entries.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    /// The highest change number that was given out.
    pub(super) usn: u64,
}

impl Directory {
    pub(super) fn make(material: &Material) -> Self {
        let mut directory = Self {
            entries: Vec::new(),
            usn: 1000,
        };
        let mut add = |entry: Entry| directory.add(material, entry);
        add(Entry::new(
            BASE.into(),
            &[("objectClass", &["top", "domain"]), ("dc", &["sim"])],
        ));
        for unit in ["People", "Groups", "Services"] {
            add(Entry::new(
                format!("OU={unit},{BASE}"),
                &[("objectClass", &["top", "organizationalUnit"]), ("ou", &[unit])],
            ));
        }
        let mut reader = Entry::new(
            format!("CN=reader,OU=Services,{BASE}"),
            &[("objectClass", &["top", "account"]), ("cn", &["reader"])],
        );
        reader.password = Some(password(material, "reader"));
        add(reader);
        for person in &PEOPLE {
            let mut entry = account(person.name, person.full_name, person.email);
            entry.password = Some(password(material, person.name));
            add(entry);
        }
        for number in 1..=CROWD {
            let name = format!("user{number:04}");
            add(account(
                &name,
                &format!("User {number:04}"),
                &format!("{name}@example.test"),
            ));
        }
        let member = |name: &str| format!("CN={name},OU=People,{BASE}");
        let everybody: Vec<_> = PEOPLE
            .iter()
            .map(|p| member(p.name))
            .chain((1..=CROWD).map(|n| member(&format!("user{n:04}"))))
            .collect();
        let group = |name: &str| format!("CN={name},OU=Groups,{BASE}");
        for (name, members) in [
            ("admins", vec![member("alice")]),
            // A group within a group, and a circle, as real directories have them.
            ("staff", vec![member("bob"), group("admins"), group("circle")]),
            ("circle", vec![group("staff")]),
            ("员工", vec![member("zhang")]),
            ("everyone", everybody),
        ] {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            add(Entry::new(
                group(name),
                &[
                    ("objectClass", &["top", "group", "groupOfNames"]),
                    ("cn", &[name]),
                    ("member", &members),
                ],
            ));
        }
        directory.relate();
        directory
    }

    fn add(&mut self, material: &Material, mut entry: Entry) {
        self.usn += 1;
        let id = material.bytes::<16>(&format!("guid {}", entry.dn));
        let hex = hex::encode(id);
        let uuid = format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        );
        // The first three fields stand in the other byte order in objectGUID.
        let guid: Vec<u8> = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
            .iter()
            .map(|i: &usize| id[*i])
            .collect();
        entry.set("objectGUID", vec![guid]);
        entry.set("entryUUID", vec![uuid.into_bytes()]);
        entry.set("uSNChanged", vec![self.usn.to_string().into_bytes()]);
        self.entries.push(entry);
    }

    /// `memberOf` follows from `member`.
    fn relate(&mut self) {
        let mut of: std::collections::BTreeMap<String, Vec<Vec<u8>>> = std::collections::BTreeMap::new();
        for group in &self.entries {
            for member in group.values("member") {
                of.entry(normal(&String::from_utf8_lossy(member)))
                    .or_default()
                    .push(group.dn.as_bytes().to_vec());
            }
        }
        for entry in &mut self.entries {
            entry.set("memberOf", of.remove(&normal(&entry.dn)).unwrap_or_default());
        }
    }

    pub(super) fn find(&self, dn: &str) -> Option<&Entry> {
        let wanted = normal(dn);
        self.entries.iter().find(|e| normal(&e.dn) == wanted)
    }

    /// By distinguished name, `name@domain` or `DOMAIN\name`.
    pub(super) fn account(&self, name: &str) -> Option<&Entry> {
        let short = name
            .split_once('\\')
            .filter(|(domain, _)| domain.eq_ignore_ascii_case(DOMAIN))
            .map(|(_, n)| n);
        let is = |e: &&Entry| {
            e.text("userPrincipalName").eq_ignore_ascii_case(name)
                || short.is_some_and(|s| e.text("sAMAccountName").eq_ignore_ascii_case(s))
        };
        self.find(name).or_else(|| self.entries.iter().find(is))
    }

    /// Everything reached by following an attribute's names, in the form that is compared.
    pub(super) fn chain(&self, entry: &Entry, attribute: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![entry.clone()];
        while let Some(entry) = next.pop() {
            for value in entry.values(attribute) {
                let dn = String::from_utf8_lossy(value);
                if seen.insert(normal(&dn)) {
                    next.extend(self.find(&dn).cloned());
                }
            }
        }
        seen
    }

    /// Changes an account: disable, enable, lock, unlock, remove, or add. Whether there was one (or none, to add).
    pub(super) fn change(&mut self, material: &Material, what: &str, name: &str) -> bool {
        let known = self
            .entries
            .iter()
            .position(|e| e.text("sAMAccountName").eq_ignore_ascii_case(name));
        match (what, known) {
            ("add", None) => {
                let mut entry = account(name, name, &format!("{name}@example.test"));
                entry.password = Some(password(material, name));
                self.add(material, entry);
            }
            ("remove", Some(index)) => {
                let gone = normal(&self.entries.remove(index).dn);
                for group in &mut self.entries {
                    let members = group.values("member").to_vec();
                    let left: Vec<_> = members
                        .iter()
                        .filter(|m| normal(&String::from_utf8_lossy(m)) != gone)
                        .cloned()
                        .collect();
                    if left.len() != members.len() {
                        group.set("member", left);
                    }
                }
            }
            ("disable" | "enable" | "lock" | "unlock", Some(index)) => {
                let entry = &mut self.entries[index];
                match what {
                    "lock" | "unlock" => entry.locked = what == "lock",
                    _ => {
                        let bits = if what == "disable" {
                            ORDINARY | DISABLED
                        } else {
                            ORDINARY
                        };
                        entry.set("userAccountControl", vec![bits.to_string().into_bytes()]);
                    }
                }
                self.usn += 1;
                entry.set("uSNChanged", vec![self.usn.to_string().into_bytes()]);
            }
            _ => return false,
        }
        self.relate();
        true
    }

    pub(super) fn shown(&self) -> Value {
        json!({"entries": self.entries.len(), "highestCommittedUSN": self.usn, "base": BASE})
    }
}

pub(super) fn password(material: &Material, name: &str) -> String {
    material.token(&format!("password {name}"), 16)
}

fn account(name: &str, full: &str, email: &str) -> Entry {
    let principal = format!("{name}@sim.test");
    let control = ORDINARY.to_string();
    Entry::new(
        format!("CN={name},OU=People,{BASE}"),
        &[
            (
                "objectClass",
                &["top", "person", "organizationalPerson", "user", "inetOrgPerson"],
            ),
            ("cn", &[name]),
            ("uid", &[name]),
            ("sAMAccountName", &[name]),
            ("userPrincipalName", &[&principal]),
            ("displayName", &[full]),
            ("sn", &[full]),
            ("mail", &[email]),
            ("userAccountControl", &[&control]),
        ],
    )
}
