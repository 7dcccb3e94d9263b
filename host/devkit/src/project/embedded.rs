//! The files a new project is made of, as they were when this binary was built.

/// By path in the repository.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// All files below a folder, with their paths from there.
pub(super) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter_map(move |(path, bytes)| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((rest, *bytes))
    })
}

/// A text file.
pub(super) fn text(path: &str) -> Option<&'static str> {
    let (_, bytes) = FILES.iter().find(|(p, _)| *p == path)?;
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdk_contract_and_templates_are_there_and_nothing_tools_left_behind() {
        for path in [
            "sdk/rust/src/lib.rs",
            "sdk/bindings/core/Cargo.toml",
            "wit/v1/contract.wit",
            "sdk/Cargo.lock",
            "sdk/js/toolchain/package-lock.json",
        ] {
            assert!(text(path).is_some(), "{path}");
        }
        assert!(below("sdk/templates").any(|(p, _)| p.ends_with("aistack-plugin.toml")));
        assert!(!below("sdk/templates").any(|(p, _)| p.ends_with("package-lock.json")));
        assert!(
            !FILES
                .iter()
                .any(|(p, _)| p.contains("node_modules") || p.contains("/target/"))
        );
    }
}
