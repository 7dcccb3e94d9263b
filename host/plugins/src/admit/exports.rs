//! Which world a component is of, by what it exports.

use super::{
    imports::{speaks, split, wrong_version},
    structure::Shape,
};
use aistack_domain::plugins::port::{PluginKind, Refusal};
use semver::Version;

/// What each world exports; all of it, always.
const WORLDS: [(PluginKind, &str, &[&str]); 3] = [
    (
        PluginKind::Identity,
        "identity/login",
        &[
            "core/lifecycle",
            "identity/login",
            "identity/directory",
            "core/inbound",
            "core/documents",
            "core/jobs",
        ],
    ),
    (
        PluginKind::Payment,
        "payment/payments",
        &[
            "core/lifecycle",
            "payment/payments",
            "payment/refunds",
            "payment/agreements",
            "payment/settlement",
            "core/inbound",
            "core/documents",
            "core/jobs",
        ],
    ),
    (
        PluginKind::Report,
        "report/generator",
        &["core/lifecycle", "report/generator"],
    ),
];

/// The kind and the highest contract version among the exports.
pub(super) fn world(shape: &Shape) -> Result<(PluginKind, Version), Refusal> {
    let ours: Vec<(&str, Version, &String)> = shape
        .exports
        .keys()
        .filter_map(|name| {
            let (path, version) = split(name);
            path.strip_prefix("aistack:").map(|p| (p, version, name))
        })
        .collect();
    if let Some((_, _, name)) = ours.iter().find(|(_, v, _)| !speaks(v)) {
        return Err(wrong_version(name));
    }
    let exports = |path: &str| ours.iter().any(|(p, ..)| *p == path);
    let mut found = WORLDS.iter().filter(|(_, mark, _)| exports(mark));
    let (Some((kind, _, wanted)), None) = (found.next(), found.next()) else {
        let names: Vec<&str> = shape.exports.keys().map(String::as_str).collect();
        let list = if names.is_empty() {
            "no interface".to_owned()
        } else {
            names.join(", ")
        };
        return Err(Refusal::WrongWorld(format!("it exports {list}")));
    };
    let missing: Vec<&str> = wanted.iter().filter(|w| !exports(w)).copied().collect();
    if !missing.is_empty() {
        return Err(Refusal::WrongWorld(format!(
            "a {kind} plugin also exports aistack:{}",
            missing.join(", aistack:")
        )));
    }
    let version = ours
        .into_iter()
        .map(|(_, v, _)| v)
        .max()
        .unwrap_or(Version::new(0, 0, 0));
    Ok((*kind, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(exports: &[&str]) -> Shape {
        Shape {
            exports: exports.iter().map(|n| ((*n).to_owned(), vec![])).collect(),
            ..Shape::default()
        }
    }

    #[test]
    fn worlds_are_told_by_their_exports() {
        let s = shape(&[
            "aistack:core/lifecycle@1.0.0",
            "aistack:report/generator@1.0.0",
            "other:thing/x",
        ]);
        assert_eq!(world(&s).unwrap(), (PluginKind::Report, Version::new(1, 0, 0)));
    }

    #[test]
    fn incomplete_foreign_and_mixed_ones_are_refused() {
        for exports in [
            &[][..],
            &["wasi:cli/run@0.2.6"],
            &["aistack:report/generator@1.0.0"],
            &[
                "aistack:core/lifecycle@1.0.0",
                "aistack:report/generator@1.0.0",
                "aistack:identity/login@1.0.0",
            ],
        ] {
            assert!(
                matches!(world(&shape(exports)), Err(Refusal::WrongWorld(_))),
                "{exports:?}"
            );
        }
        assert!(matches!(
            world(&shape(&[
                "aistack:core/lifecycle@2.0.0",
                "aistack:report/generator@2.0.0"
            ])),
            Err(Refusal::WrongVersion { .. })
        ));
    }
}
