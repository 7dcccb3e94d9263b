//! Every file of `fuzz/corpus` against the target it was made for or found by: what fuzzing once found stays mended.

use crate::targets;
use std::{fs, path::Path};

fn feed(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|f| f.expect("it can be listed").path())
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{} has seeds", folder.display());
    for file in files {
        let bytes = fs::read(&file).expect("a seed can be read");
        let done = std::panic::catch_unwind(|| target(&bytes));
        assert!(done.is_ok(), "see above for what {} does", file.display());
    }
}

#[test]
fn manifest() {
    feed("manifest", targets::manifest);
}

#[test]
fn config_schema() {
    feed("config_schema", targets::config_schema);
}

#[test]
fn component_bytes() {
    feed("component_bytes", targets::component_bytes);
}

#[test]
fn import_arguments() {
    feed("import_arguments", targets::import_arguments);
}
