//! What a plugin author does, with the real binary and real compilers: from `new` to a component that a host takes.

mod dev;
mod journey;
mod mistakes;
mod record;
mod tutorials;

use aistack_tests::host::binary;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tempfile::TempDir;

/// All projects have one name and one folder for what is compiled, so one test at a time: else one would find the
/// component of another.
static TURN: Mutex<()> = Mutex::new(());

/// A project in a folder of its own, with nothing of this repository around it.
struct Author {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// Where authors' projects are compiled: shared by all these tests, so that the SDK is compiled once; apart from the
/// host's, which whoever runs the tests has locked.
fn compiled(binary: &Path) -> PathBuf {
    binary.ancestors().nth(2).unwrap().join("guests")
}

/// What a command said.
struct Said {
    code: i32,
    /// Standard output, as JSON when it is.
    out: Value,
    err: String,
}

impl Author {
    /// With a new project of this world.
    fn new(world: &str) -> Self {
        let author = Self {
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
            folder: tempfile::tempdir().unwrap(),
        };
        let made = author.run(&["new", "acme.my-thing", "--world", world, "--lang", "rust", "--dir", "."]);
        assert_eq!(
            (made.code, &made.out["id"]),
            (0, &"acme.my-thing".into()),
            "{}",
            made.err
        );
        author
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn component(&self) -> PathBuf {
        self.file("dist/acme-my-thing.wasm")
    }

    /// Changes a file, which has to contain what is replaced.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from), "{from:?} in {name}");
        fs::write(self.file(name), text.replacen(from, to, 1)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let binary = binary("aistack").unwrap();
        let mut command = Command::new(&binary);
        command
            .args(["--json", "plugin"])
            .args(arguments)
            .current_dir(self.dir());
        command.env("CARGO_TARGET_DIR", compiled(&binary));
        command.env("XDG_CACHE_HOME", self.dir().join(".cache"));
        command
    }

    /// `aistack plugin …` in the project's folder.
    fn run(&self, arguments: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&stdout).into_owned();
        Said {
            code: status.code().unwrap_or(-1),
            out: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// As `run`, for commands that have to work.
    fn works(&self, arguments: &[&str]) -> Value {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {} {}", said.out, said.err);
        said.out
    }
}

impl Said {
    /// The problem document on standard error: its last line, because compilers speak there too.
    fn problem(&self) -> Value {
        let last = self.err.lines().next_back().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {}", self.err))
    }
}
