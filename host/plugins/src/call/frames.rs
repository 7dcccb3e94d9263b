//! Where a component crashed: functions as far as it carries names, source lines as far as it carries line tables.

use aistack_domain::plugins::port::Frame;
use wasmtime::WasmBacktrace;

/// Most frames of a receipt.
const MAX: usize = 20;
/// Longest name or path of one, in characters.
const LONGEST: usize = 200;

/// The frames of an error, innermost first, without those of the language's own panic machinery before the first one of
/// the plugin. None when the component carries neither names nor lines.
pub(super) fn of(error: &wasmtime::Error) -> Vec<Frame> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for f in backtrace.frames() {
        for s in f.symbols() {
            all.push(Frame {
                function: clip(s.name().or_else(|| f.func_name()).unwrap_or("?")),
                file: s.file().map(|file| clip(&relative(file))),
                line: s.line(),
            });
        }
        if let (true, Some(name)) = (f.symbols().is_empty(), f.func_name()) {
            all.push(Frame {
                function: clip(name),
                file: None,
                line: None,
            });
        }
    }
    let machinery = all.iter().take_while(|f| is_machinery(f)).count();
    if machinery < all.len() {
        all.drain(..machinery);
    }
    all.truncate(MAX);
    all
}

fn clip(text: &str) -> String {
    super::scrub(text).chars().take(LONGEST).collect()
}

/// What stands between a panic and the trap it ends in.
fn is_machinery(f: &Frame) -> bool {
    let of_the_language = |name: &str| {
        [
            "std::",
            "core::",
            "alloc::",
            "__rust",
            "rust_",
            "<core::",
            "<std::",
            "<alloc::",
            "dlmalloc::",
        ]
        .iter()
        .any(|start| name.starts_with(start))
            || ["abort", "_abort", "__wasi_proc_exit", "exit", "_Exit"].contains(&name)
    };
    f.file.as_deref().is_some_and(|file| file.starts_with("library/")) || of_the_language(&f.function)
}

/// A path as its author knows it: within the project, the package or the standard library, never from the root of the
/// machine it was built on.
fn relative(path: &str) -> String {
    let path = path.replace('\\', "/");
    let after = |mark: &str| path.find(mark).map(|at| &path[at + mark.len()..]);
    if let Some(rest) = after("/rustc/") {
        // The commit of the compiler comes first.
        return rest.split_once('/').map_or(rest, |(_, rest)| rest).to_owned();
    }
    if let Some(rest) = after("/lib/rustlib/src/rust/") {
        return rest.to_owned();
    }
    if let Some(rest) = after("/registry/src/") {
        return rest.split_once('/').map_or(rest, |(_, rest)| rest).to_owned();
    }
    let drive = path.as_bytes().get(1) == Some(&b':');
    if !path.starts_with('/') && !drive {
        return path.trim_start_matches("./").to_owned();
    }
    match path.rfind("/src/") {
        Some(at) => path[at + 1..].to_owned(),
        None => path.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_the_author_knows_them() {
        for (path, shown) in [
            ("/home/ann/example-pay/src/lib.rs", "src/lib.rs"),
            ("src/pay.rs", "src/pay.rs"),
            ("./src/pay.rs", "src/pay.rs"),
            ("C:\\work\\pay\\src\\lib.rs", "src/lib.rs"),
            (
                "/home/ann/.cargo/registry/src/index.crates.io-1/serde_json-1.0.0/src/de.rs",
                "serde_json-1.0.0/src/de.rs",
            ),
            (
                "/rustc/0123abc/library/std/src/panicking.rs",
                "library/std/src/panicking.rs",
            ),
            (
                "/home/ann/.rustup/toolchains/t/lib/rustlib/src/rust/library/core/src/panicking.rs",
                "library/core/src/panicking.rs",
            ),
            ("/tmp/one.c", "one.c"),
        ] {
            assert_eq!(relative(path), shown);
        }
    }

    #[test]
    fn the_language_is_no_place_in_a_plugin() {
        let at = |function: &str, file: Option<&str>| Frame {
            function: function.to_owned(),
            file: file.map(str::to_owned),
            line: Some(1),
        };
        assert!(is_machinery(&at("std::panicking::begin_panic", None)));
        assert!(is_machinery(&at("{closure#0}", Some("library/std/src/panicking.rs"))));
        assert!(!is_machinery(&at("example_pay::charge", Some("src/lib.rs"))));
    }
}
