//! A PostgreSQL cluster of its own for a test process, with databases cloned from templates in milliseconds.

use super::process::{Command, Process, free_port};
use super::{PeerError, find_program};
use anyhow::{Context as _, anyhow, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

/// The superuser every cluster is made with.
const SUPERUSER: &str = "postgres";

/// A running cluster on 127.0.0.1.
pub struct Postgres {
    _process: Process,
    bin: PathBuf,
    port: u16,
    password: String,
    counter: AtomicU32,
    templates: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
}

/// A database of its own for one test.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// A URL that connects as the superuser.
    pub url: String,
}

impl Postgres {
    /// The cluster this test process shares, started at the first call and gone with the process.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not start.
    pub async fn shared() -> Result<&'static Self, PeerError> {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Makes and starts a cluster.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not start.
    pub async fn start() -> Result<Self, PeerError> {
        let Some(bin) = server_programs() else {
            return Err(PeerError::Missing {
                what: "PostgreSQL (initdb)".into(),
                part: "postgres",
            });
        };
        // PostgreSQL refuses to run as root, so root becomes the system's own database user.
        let identity: &[&str] = if rustix::process::geteuid().is_root() {
            &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        } else {
            &["env"]
        };
        let password = random_hex()?;
        let port = free_port()?;
        let postgres = bin.join("postgres");
        let command = Command::new(identity[0])?;
        let scratch = command.scratch().to_path_buf();
        let cluster = scratch.join("data");
        initialise(&bin, identity, &scratch, &cluster, &password).await?;
        let mut process = command
            .args(identity[1..].iter().copied())
            .arg(postgres.display().to_string())
            .args([
                "-D",
                &cluster.display().to_string(),
                "-p",
                &port.to_string(),
                "-h",
                "127.0.0.1",
                "-k",
                "",
            ])
            // The cluster dies with the tests, so nothing is gained by waiting for the disk.
            .args([
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
                "-c",
                "shared_buffers=64MB",
            ])
            .args([
                "-c",
                "max_connections=200",
                "-c",
                "autovacuum=off",
                "-c",
                "log_min_messages=fatal",
            ])
            // "Fast" shutdown: do not wait for clients to leave.
            .stop_signal("INT")
            .spawn()?;
        process
            .ready(Duration::from_secs(60), |output| async move {
                let listening = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
                (listening && !output.contains("starting up")).then_some(())
            })
            .await?;
        let counter = AtomicU32::new(0);
        let cluster = Self {
            _process: process,
            bin,
            port,
            password,
            counter,
            templates: Mutex::default(),
        };
        cluster.wait_for_queries().await?;
        Ok(cluster)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL that connects to `database` as the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, &self.password, database)
    }

    /// A URL that connects to `database` as another role. The password is taken as it is: keep it URL-safe.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements as the superuser and answers the rows, one a line, columns joined by `|`.
    ///
    /// # Errors
    /// What the server says against a statement; those before it in the same call are rolled back.
    pub async fn sql(&self, database: &str, statements: &str) -> anyhow::Result<String> {
        let output = tokio::process::Command::new(self.bin.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--set=ON_ERROR_STOP=1",
            ])
            .args(["--dbname", &self.url(database), "--command", statements])
            .output()
            .await
            .context("psql")?;
        if !output.status.success() {
            bail!("{statements}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// An empty database under a fresh name.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn empty_database(&self) -> anyhow::Result<Database> {
        let database = self.next_name("db");
        self.sql(SUPERUSER, &format!("CREATE DATABASE {database}")).await?;
        Ok(Database {
            url: self.url(&database),
            name: database,
        })
    }

    /// A copy of the template named `key`. The first call makes the template: an empty database handed to `prepare`,
    /// which fills it and leaves no connection open. Later calls only copy files.
    ///
    /// # Errors
    /// What `prepare` or the server says.
    pub async fn database_from<F: Future<Output = anyhow::Result<()>>>(
        &self,
        key: &str,
        prepare: impl FnOnce(Database) -> F,
    ) -> anyhow::Result<Database> {
        let cell = Arc::clone(self.templates.lock().await.entry(key.to_owned()).or_default());
        let template = cell
            .get_or_try_init(|| async {
                let database = self.empty_database().await?;
                let name = database.name.clone();
                prepare(database).await?;
                anyhow::Ok(name)
            })
            .await?;
        let name = self.next_name("clone");
        self.sql(
            SUPERUSER,
            &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"),
        )
        .await?;
        Ok(Database {
            url: self.url(&name),
            name,
        })
    }

    fn next_name(&self, kind: &str) -> String {
        format!("{kind}_{}", self.counter.fetch_add(1, Ordering::Relaxed))
    }

    async fn wait_for_queries(&self) -> anyhow::Result<()> {
        let mut last = anyhow!("not asked");
        for _ in 0..200 {
            match self.sql(SUPERUSER, "SELECT 1").await {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Err(last.context("PostgreSQL takes connections and answers no query"))
    }
}

/// The folder of the newest installed server's programs.
fn server_programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin).or_else(|| {
        let initdb = std::fs::canonicalize(find_program("initdb", &[])?).ok()?;
        initdb.parent().map(Path::to_path_buf)
    })
}

async fn initialise(
    bin: &Path,
    identity: &[&str],
    scratch: &Path,
    cluster: &Path,
    password: &str,
) -> anyhow::Result<()> {
    let password_file = scratch.join("password");
    std::fs::write(&password_file, password)?;
    if rustix::process::geteuid().is_root() {
        let chown = std::process::Command::new("chown")
            .args(["-R", "postgres:postgres"])
            .arg(scratch)
            .status()?;
        anyhow::ensure!(chown.success(), "chown of {} to postgres", scratch.display());
    }
    let output = tokio::process::Command::new(identity[0])
        .args(&identity[1..])
        .arg(bin.join("initdb"))
        .arg("-D")
        .arg(cluster)
        .args([
            "--username",
            SUPERUSER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .arg("--pwfile")
        .arg(&password_file)
        .output()
        .await
        .context("initdb")?;
    if !output.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn random_hex() -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 12];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}
