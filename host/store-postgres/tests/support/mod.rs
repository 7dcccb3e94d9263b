//! A PostgreSQL for tests: the one in `AISTACK_TEST_POSTGRES` (a superuser's address), or a temporary cluster of an
//! installed server, which ends with the test process however that ends.

#![allow(
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "each test uses a part; a test may panic"
)]

use aistack_store_postgres::PostgresConfig;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static TURN: AtomicU64 = AtomicU64::new(0);

struct Server {
    /// Up to and without the database's name.
    base: String,
    /// Waits for our end, then stops the cluster and removes it.
    _keeper: Option<Child>,
}

/// An empty database of its own.
pub struct Database {
    /// Its address, as the superuser who owns it.
    pub url: String,
}

impl Database {
    /// A small pool on it.
    pub fn config(&self) -> PostgresConfig {
        PostgresConfig {
            max_connections: 8,
            ..PostgresConfig::new(self.url.clone().into())
        }
    }

    /// Runs statements as the owner and answers what they printed.
    pub fn psql(&self, sql: &str) -> String {
        psql(&self.url, &["--command", sql], "").expect("psql")
    }

    /// Runs a script in one session and answers what it printed, or the error.
    pub fn script(&self, script: &str) -> Result<String, String> {
        psql(&self.url, &["--file", "-"], script)
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

/// Makes an empty database; `None`, said loudly, on a machine without PostgreSQL that is not a CI machine.
///
/// # Panics
/// Without PostgreSQL where `CI` is set: a test that did nothing must not look like one that passed.
pub fn database() -> Option<Database> {
    database_with("off")
}

/// The same on a server that waits for the disk, for measurements.
pub fn durable_database() -> Option<Database> {
    database_with("on")
}

/// The first call of a process decides how its own server treats the disk; tests don't need theirs to survive anything.
fn database_with(fsync: &str) -> Option<Database> {
    let Some(server) = SERVER.get_or_init(|| Server::start(fsync)) else {
        say_skipped("PostgreSQL is not installed");
        return None;
    };
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let name = format!("aistack_test_{}_{turn}", std::process::id());
    let create = format!("CREATE DATABASE {name}");
    psql(&format!("{}/postgres", server.base), &["--command", &create], "").expect("creating a database");
    Some(Database {
        url: format!("{}/{name}", server.base),
    })
}

/// Says that the running test did nothing, also where `tests/run.sh` counts: libtest takes it for passed.
pub fn say_skipped(why: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {why}\n", thread.name().unwrap_or("test"));
    // Not `eprintln!`: libtest swallows that for tests that pass.
    drop(std::io::stderr().write_all(line.as_bytes()));
    if let Some(path) = std::env::var_os("AISTACK_SKIPS") {
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)
            .expect("AISTACK_SKIPS opens");
        file.write_all(line.as_bytes()).expect("AISTACK_SKIPS can be written");
    }
}

impl Server {
    fn start(fsync: &str) -> Option<Self> {
        if let Ok(url) = std::env::var("AISTACK_TEST_POSTGRES") {
            let (base, _) = url.rsplit_once('/').expect("AISTACK_TEST_POSTGRES names a database");
            return Some(Self {
                base: base.to_owned(),
                _keeper: None,
            });
        }
        let Some(bin) = installed() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed");
            return None;
        };
        let home = std::env::temp_dir().join(format!("aistack-test-pg-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a temporary directory");
        // initdb refuses to run as root; the server's package made a user for it.
        let prefix = if is_root() {
            run(Command::new("chown").arg("postgres").arg(&home));
            "setpriv --reuid=postgres --regid=postgres --clear-groups -- "
        } else {
            ""
        };
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let (bin, home) = (bin.display(), home.display());
        run(Command::new("sh").current_dir("/").arg("-ec").arg(format!(
            "{prefix}{bin}/initdb -D {home}/data -U aistack -A trust -E UTF8 --locale=C.UTF-8 >{home}/initdb.log
             {prefix}{bin}/pg_ctl -D {home}/data -w -l {home}/data/log -o '-p {port} -c listen_addresses=127.0.0.1 \
             -c unix_socket_directories= -c fsync={fsync} -c max_connections=300 -c shared_buffers=64MB' start >/dev/null"
        )));
        let keeper = Command::new("sh")
            .current_dir("/")
            .arg("-c")
            .arg(format!(
                "read -r line; {prefix}{bin}/pg_ctl -D {home}/data -m immediate stop >/dev/null 2>&1; rm -rf {home}"
            ))
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        Some(Self {
            base: format!("postgres://aistack@127.0.0.1:{port}"),
            _keeper: Some(keeper),
        })
    }
}

fn psql(url: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
        ])
        .args(["--dbname", url])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|e| e.to_string())?;
    }
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("running a program");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

fn installed() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(Path::new("/usr/lib/postgresql"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            (version, entry.path().join("bin"))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}
