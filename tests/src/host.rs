//! The platform under test: the real binary on a free port, with a data folder of its own.

use crate::actor::Actor;
use crate::peers::{Command, PeerError, Postgres, Process};
use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

/// The operator every host is set up with.
pub const OPERATOR: (&str, &str) = ("operator@example.test", "the operator's long password");

/// Where the platform keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Files in the data folder.
    Sqlite,
    /// A fresh database of the shared cluster.
    Postgres,
}

/// A running platform. Dropping it stops it and removes its data.
pub struct TestHost {
    process: Option<Process>,
    /// Survives [`TestHost::kill`], as a disk does.
    data: TempDir,
    config: PathBuf,
    port: u16,
    started: Started,
}

/// What the platform said about itself when it was ready.
#[derive(Debug, Clone)]
pub struct Started {
    /// The JSON line it printed.
    pub line: Value,
    /// From the start of the process until `/readyz` answered 200.
    pub ready_after: Duration,
}

impl TestHost {
    /// Starts a platform on an empty data folder.
    ///
    /// # Errors
    /// When the binary is not built, the store's peer is missing, or the platform does not become ready.
    pub async fn start(store: Store) -> Result<Self, PeerError> {
        Self::start_with(store, toml::Table::new()).await
    }

    /// Starts a platform on an empty data folder, with more settings of its section `plugins`.
    ///
    /// # Errors
    /// As [`TestHost::start`].
    pub async fn start_with(store: Store, plugins: toml::Table) -> Result<Self, PeerError> {
        Self::start_on(store, plugins, |url| url).await
    }

    /// Starts a platform on an empty data folder that asks this name server.
    ///
    /// # Errors
    /// As [`TestHost::start`].
    pub async fn start_with_names(store: Store, name_server: u16) -> Result<Self, PeerError> {
        let mut host = Self::start(store).await?;
        let text = std::fs::read_to_string(&host.config).map_err(anyhow::Error::from)?;
        let dns = format!("{text}\n[dns]\nservers = [\"127.0.0.1:{name_server}\"]\ntimeout_ms = 500\n");
        std::fs::write(&host.config, dns).map_err(anyhow::Error::from)?;
        host.restart().await?;
        Ok(host)
    }

    /// Starts a platform that reaches its database by another way than directly: `way` says by which.
    ///
    /// # Errors
    /// As [`TestHost::start`].
    pub async fn start_on(
        store: Store,
        plugins: toml::Table,
        way: impl FnOnce(String) -> String,
    ) -> Result<Self, PeerError> {
        let data = tempfile::Builder::new()
            .prefix("aistack-host-")
            .tempdir()
            .map_err(anyhow::Error::from)?;
        let config = data.path().join("config.toml");
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Postgres::shared().await?.empty_database().await?),
        };
        let url = database.map(|database| way(database.url));
        std::fs::write(&config, configuration(url.as_deref(), plugins)).map_err(anyhow::Error::from)?;
        let (process, started) = launch(&data, &config, 0).await?;
        let port = address(&started.line)?;
        Ok(Self {
            process: Some(process),
            data,
            config,
            port,
            started,
        })
    }

    /// Kills the platform with SIGKILL: nothing it has in memory survives.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.take().context("the host is not running")?.kill()
    }

    /// Starts the platform again on the same data and the same port.
    ///
    /// # Errors
    /// As [`TestHost::start`].
    pub async fn restart(&mut self) -> Result<(), PeerError> {
        drop(self.process.take());
        let (process, started) = launch(&self.data, &self.config, self.port).await?;
        self.process = Some(process);
        self.started = started;
        Ok(())
    }

    /// What it said when it was ready.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// What it wrote to standard output and error so far.
    pub fn output(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// The operators' host.
    pub fn base(&self) -> Url {
        self.host("localhost")
    }

    /// A tenant's host.
    pub fn tenant_base(&self, slug: &str) -> Url {
        self.host(&format!("{slug}.localhost"))
    }

    /// A tenant below the operators' host.
    pub fn tenant_path(&self, slug: &str) -> Url {
        self.base()
            .join(&format!("/t/{slug}"))
            .expect("a slug is a path segment")
    }

    fn host(&self, name: &str) -> Url {
        format!("http://{name}:{}/", self.port)
            .parse()
            .expect("a host name and a port")
    }

    /// Somebody unknown at the operators' host.
    pub fn visitor(&self) -> Actor {
        Actor::new(self.base())
    }

    /// Somebody unknown at a tenant's host.
    pub fn tenant_visitor(&self, slug: &str) -> Actor {
        Actor::new(self.tenant_base(slug))
    }

    /// The link that sets the platform up, once.
    ///
    /// # Errors
    /// When the platform printed none.
    pub fn setup_link(&self) -> anyhow::Result<Url> {
        let link = self.started.line["setup_url"].as_str();
        Ok(link
            .with_context(|| format!("no set-up link in {}", self.started.line))?
            .parse()?)
    }

    /// Sets the platform up with [`OPERATOR`] and answers the operator, signed in.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn set_up(&self) -> anyhow::Result<Actor> {
        let link = self.setup_link()?;
        let token = setup_token(&link)?;
        let mut operator = self.visitor();
        let body = json!({"token": token, "email": OPERATOR.0, "name": "Olive Operator", "password": OPERATOR.1});
        operator.post("/api/v1/setup", body).await?.ok(201)?;
        operator.resume().await?;
        Ok(operator)
    }
}

/// The one-time token in a set-up link, which is in the fragment so that it stays out of logs, or in the query.
///
/// # Errors
/// When there is none.
pub fn setup_token(link: &Url) -> anyhow::Result<String> {
    let in_fragment = link.fragment().and_then(|fragment| {
        let query = fragment.rsplit('?').next()?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "token")
            .map(|(_, value)| value)
    });
    let in_query = link
        .query_pairs()
        .find(|(key, _)| key == "token")
        .map(|(_, value)| value);
    in_query
        .or(in_fragment)
        .map(std::borrow::Cow::into_owned)
        .with_context(|| format!("no token in {link}"))
}

fn configuration(database: Option<&str>, mut plugins: toml::Table) -> String {
    let mut config = toml::Table::new();
    // The peers of the tests are on loopback, which plugins may not reach otherwise.
    plugins.insert("allow_private_addresses".into(), true.into());
    config.insert("plugins".into(), toml::Value::Table(plugins));
    if let Some(url) = database {
        config.insert(
            "store".into(),
            toml::Value::Table([("url".to_owned(), url.into())].into_iter().collect()),
        );
    }
    config.to_string()
}

async fn launch(data: &TempDir, config: &std::path::Path, port: u16) -> Result<(Process, Started), PeerError> {
    let began = tokio::time::Instant::now();
    let mut process = Command::new(binary("aistack")?)?
        .args(["serve", "--json", "--listen", &format!("127.0.0.1:{port}")])
        .arg("--data-dir")
        .arg(data.path().join("data").display().to_string())
        .arg("--config")
        .arg(config.display().to_string())
        .spawn()?;
    let line = process
        .ready(Duration::from_secs(120), |output| async move {
            let lines = output
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.into_iter().find(|line| address(line).is_ok())
        })
        .await?;
    let ready: Url = format!("http://127.0.0.1:{}/readyz", address(&line)?)
        .parse()
        .map_err(anyhow::Error::from)?;
    process
        .ready(Duration::from_secs(60), |_| {
            let answer = reqwest::get(ready.clone());
            async move { answer.await.ok().filter(|answer| answer.status() == 200).map(drop) }
        })
        .await?;
    Ok((
        process,
        Started {
            line,
            ready_after: began.elapsed(),
        },
    ))
}

/// The port in the line the platform prints when it listens.
fn address(line: &Value) -> anyhow::Result<u16> {
    let address: std::net::SocketAddr = line["address"].as_str().context("no address")?.parse()?;
    Ok(address.port())
}

/// A program of this workspace: beside the running test, or what `AISTACK_BIN` says for `aistack`.
///
/// # Errors
/// When it is not built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("AISTACK_BIN").filter(|_| name == "aistack") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let folders = test.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| anyhow!("{name} is not built; run: cargo build -p aistack-server --bin {name}"))
}

/// A deliberately bad component as `cargo xtask plugins` built it.
///
/// # Errors
/// When it is not built.
pub fn hostile(name: &str) -> anyhow::Result<Vec<u8>> {
    let path = crate::repository().join("dist/hostile").join(format!("{name}.wasm"));
    std::fs::read(&path).with_context(|| format!("{}; run: cargo xtask plugins", path.display()))
}

/// A plugin as `cargo xtask plugins` built it.
///
/// # Errors
/// When it is not built.
pub fn plugin(name: &str) -> anyhow::Result<Vec<u8>> {
    let path = crate::repository().join("dist/plugins").join(format!("{name}.wasm"));
    std::fs::read(&path).with_context(|| format!("{}; run: cargo xtask plugins", path.display()))
}
