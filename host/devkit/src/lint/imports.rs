//! What a component imports: against what the host offers, and against what its manifest declares.

use crate::Finding;
use aistack_domain::plugins::{
    manifest::{Manifest, declared_interfaces},
    port::{Inspection, Refusal},
};
use std::collections::BTreeSet;

/// Interfaces that reach nothing outside the call and need no declaration.
const FREE: &[&str] = &["log", "config", "clock", "random", "crypto"];

/// How an interface is declared.
fn declaration(interface: &str) -> &'static str {
    match interface {
        "kv" => "[grants] kv = { bytes = \"1MiB\", keys = 1000 }",
        "secrets" => "a [[secret]] with its name and use",
        "reveal" => "a [[secret]] with use = [\"reveal\"]",
        "http" | "download" => "[[egress]] kind = \"http\" with hosts",
        "dial" => "[[egress]] kind = \"dial\" with hosts",
        "blob" => "[grants] blob = true",
        "datasets" => "datasets = [\"…\"] in a [[report]]",
        _ => "nothing that a manifest can say",
    }
}

/// The manifest has to declare exactly the powers that the code uses: one too few and no host runs it, one too many and
/// an administrator grants what nobody needs.
pub(super) fn declared_is_used(manifest: &Manifest, inspection: &Inspection) -> Vec<Finding> {
    // A download goes where `http` may go, and is declared by it.
    let one = |i: &str| {
        if i == "download" {
            "http".to_owned()
        } else {
            i.to_owned()
        }
    };
    let paid = |all: &[String]| -> BTreeSet<String> {
        all.iter()
            .filter(|i| !FREE.contains(&i.as_str()))
            .map(|i| one(i))
            .collect()
    };
    let (declared, used) = (paid(&declared_interfaces(manifest)), paid(&inspection.imports));
    let missing = used.difference(&declared).map(|i| {
        Finding::error(
            "not_declared",
            "",
            format!("the code uses {i}, which the manifest does not declare"),
            &format!("declare it: {}", declaration(i)),
        )
    });
    let idle = declared.difference(&used).map(|i| {
        Finding::error(
            "not_used",
            "",
            format!("the manifest declares {i}, which the code does not use"),
            &format!("take out {}, so that nobody is asked to grant it", declaration(i)),
        )
    });
    missing.chain(idle).collect()
}

/// A host's refusal as findings, one for each import it speaks of.
pub(super) fn refused(refusal: &Refusal) -> Vec<Finding> {
    let code = match refusal {
        Refusal::NotAComponent(_) => "not_a_component",
        Refusal::WrongWorld(_) => "wrong_world",
        Refusal::WrongVersion { .. } => "wrong_version",
        Refusal::TooLarge { .. } => "too_large",
        Refusal::UnknownImports(all) => {
            return all
                .iter()
                .map(|i| {
                    Finding::error(
                        "forbidden_import",
                        "",
                        format!("the component imports {i}"),
                        import_hint(i),
                    )
                })
                .collect();
        }
        Refusal::NotGranted(_) => "not_granted",
        Refusal::Manifest(_) => "manifest",
        Refusal::Signatures(_) => "signatures",
        Refusal::Compile(_) => "compile",
        Refusal::Missing(_) => "missing",
        Refusal::Host(_) => "host",
    };
    vec![Finding::error(code, "", refusal.to_string(), refusal_hint(refusal))]
}

fn import_hint(import: &str) -> &'static str {
    if import.starts_with("wasi:sockets") {
        "there are no sockets: use aistack:host/http, or aistack:host/dial in the identity world"
    } else if import.starts_with("wasi:http") {
        "use aistack:host/http; JavaScript builds with disableFeatures: ['http', 'fetch-event']"
    } else if import.starts_with("wasi:filesystem") {
        "there are no files: use aistack:host/kv for state, aistack:host/blob for reports"
    } else if import.contains("(not offered to") {
        "the world of this plugin does not have it; see the world in .aistack/wit/v1"
    } else if import.starts_with("aistack:") {
        "this host does not have it; see .aistack/wit/v1"
    } else {
        "find which dependency pulls it in (wasm-tools component wit), and do without"
    }
}

/// What to do about a refusal.
pub(crate) fn refusal_hint(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotAComponent(_) => "build it with aistack plugin build; a core module is no component",
        Refusal::WrongWorld(_) => "export all interfaces of one world; the SDK's export macro does it",
        Refusal::WrongVersion { .. } => "build it against the contract in .aistack/wit",
        Refusal::TooLarge { .. } => "opt-level = \"s\", lto, strip; leave out what is not needed",
        Refusal::UnknownImports(_) => "see aistack plugin check for each of them",
        Refusal::NotGranted(_) => "declare it in the manifest",
        Refusal::Manifest(_) => "build it with aistack plugin build, which puts the manifest in",
        Refusal::Signatures(_) => "sign it again with aistack plugin sign; nothing may be added after signing",
        Refusal::Compile(_) => "fewer or smaller functions; see what a dependency generates",
        Refusal::Missing(_) => "load it first",
        Refusal::Host(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_domain::plugins::manifest::INTERFACES;
    use std::path::Path;

    /// What the hints say to declare is what the reference of the contract says.
    #[test]
    fn the_reference_says_how_to_declare_each_interface() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugins/contract.md");
        let page = std::fs::read_to_string(page).unwrap();
        for name in INTERFACES {
            let rows: Vec<String> = page
                .lines()
                .filter(|l| l.starts_with("| [") && l.contains(&format!("/{name}`](")))
                .map(|l| l.replace('`', ""))
                .collect();
            assert!(!rows.is_empty(), "{name}");
            let wanted = if FREE.contains(name) {
                "nothing: it reaches nothing outside the call"
            } else {
                declaration(name)
            };
            assert!(
                rows.iter().all(|r| r.contains(wanted)),
                "{wanted:?} for {name} in {rows:?}"
            );
        }
    }
}
