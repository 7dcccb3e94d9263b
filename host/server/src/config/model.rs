//! The sections. A new setting is a documented field here; `docs/config.md` is made from this file.

use super::settings::settings;
use aistack_core::text_enum;
use aistack_domain::{metering::Accounting, plugins::trust::Trust};
use aistack_store::Durability;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};
use url::Url;

/// The whole configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the server is reached.
    pub server: Server,
    /// Where data is kept.
    pub data: Data,
    /// The database.
    pub store: Store,
    /// The gateway.
    pub gateway: Gateway,
    /// The plugin runtime.
    pub plugins: Plugins,
    /// Background jobs.
    pub jobs: Jobs,
    /// The DNS.
    pub dns: Dns,
    /// The log.
    pub log: Log,
}

settings! {
    /// How the server is reached.
    Server in "server" {
        /// Address and port to listen on. Port 0 takes a free one. Put a TLS-terminating proxy in front of anything but loopback.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
        /// Where the platform is reached from outside. Its host is the base host: tenants are reached at `{slug}.<host>`.
        /// Without it, `http://localhost:<port>`.
        public_url: Option<Url> = None,
        /// Networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Host` headers are believed, e.g. `["10.0.0.0/8"]`.
        trusted_proxies: Vec<IpNet> = Vec::new(),
        /// How long requests may take to finish when the server is asked to stop, in seconds.
        drain_seconds: u64 = 10,
    }
}

settings! {
    /// Where data is kept on this machine.
    Data in "data" {
        /// The data folder: root key, plugins, files, and the SQLite databases if that is the store.
        dir: PathBuf = PathBuf::from("data"),
        /// The file with the root key, under which secrets are sealed; `root.key` in the data folder when not set. It is made at
        /// the first start. Back it up apart from the data: without it no secret can be opened.
        root_key_file: Option<PathBuf> = None,
    }
}

settings! {
    /// The database.
    Store in "store" {
        /// `postgres://user:password@host/database`. Without it, SQLite files in the data folder.
        url: Option<String> = None,
        /// PostgreSQL: address with the role that owns the tables and migrates them, when it is not the one in `url`.
        owner_url: Option<String> = None,
        /// What an acknowledged change survives: `power-loss` or `crash` (of the process).
        durability: Durability = Durability::default(),
        /// SQLite: how many tenants' files may be open at a time.
        max_open_tenants: usize = 128,
        /// PostgreSQL: most connections.
        max_connections: u32 = 16,
    }
}

settings! {
    /// The gateway to the services behind.
    Gateway in "gateway" {
        /// When a call's answer may end: `durable` (its usage is committed, nothing counted is ever lost) or `behind` (at once; a
        /// crash may lose the last calls' usage).
        accounting: Accounting = Accounting::Durable,
    }
}

settings! {
    /// The plugin runtime.
    Plugins in "plugins" {
        /// Lets plugins reach private addresses and plain HTTP at every host they were granted. For development and tests; in
        /// production an operator names such hosts one by one when enabling a plugin.
        allow_private_addresses: bool = false,
        /// Instances that may be alive at once, over all tenants.
        instances: u32 = 256,
        /// Calls of one tenant that may run at once.
        tenant_calls: u32 = 32,
        /// Threads that run plugins; 0 is one per core.
        threads: usize = 0,
        /// Plugins without which `/readyz` answers 503, e.g. `["official.stripe", "acme.pay@^1.2"]`.
        mandatory: Vec<String> = Vec::new(),
        /// The least demanded of a component: `development` (nothing), `community`, `verified` or `core` (a signature of a publisher
        /// trusted at least so far). Not set: `development` while the server listens on a loopback address, else `community`.
        trust: Option<Trust> = None,
        /// Digests that components of a plugin have to have, e.g. `{ "acme.pay" = "sha256:…" }`.
        pins: BTreeMap<String, String> = BTreeMap::new(),
        /// A folder whose components (`*.wasm`) are installed at start if they are not yet. Tenants still have to enable them.
        preload_dir: Option<PathBuf> = None,
        /// A folder that is watched: a component (`*.wasm`) put there is installed while the server runs, with the detached
        /// signatures of `NAME.wasm.sig` if that lies beside it. Taking a file away changes nothing.
        watch_dir: Option<PathBuf> = None,
        /// Whether installations of lower versions change to a component that is put into the watched folder, as by a release to
        /// all: pinned ones stay, and what asks for more waits for consent.
        watch_upgrade: bool = false,
        /// Registries (`host` or `host:port`) that operators may have this server pull components from, e.g. `["ghcr.io"]`. Plain
        /// HTTP is spoken with loopback addresses only.
        registries: Vec<String> = Vec::new(),
        /// A file with credentials for registries, as `docker login` writes it.
        registry_auth: Option<PathBuf> = None,
    }
}

settings! {
    /// Background jobs: reports, payments being looked up, messages.
    Jobs in "jobs" {
        /// Jobs tried at the same time on this node.
        concurrency: usize = 4,
    }
}

settings! {
    /// How the DNS is asked for the proofs of tenants' own domains.
    Dns in "dns" {
        /// Name servers to ask, e.g. `["192.0.2.53:53"]`. Without any, the machine's own.
        servers: Vec<SocketAddr> = Vec::new(),
        /// How long one server may take for one answer, in milliseconds.
        timeout_ms: u64 = 3000,
    }
}

text_enum! {
    /// How log lines look.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

settings! {
    /// The log, on standard error.
    Log in "log" {
        /// `error`, `warn`, `info`, `debug`, `trace`, or a filter like `info,aistack_gateway=debug`.
        level: String = "info".to_owned(),
        /// `text` or `json`.
        format: LogFormat = LogFormat::Text,
    }
}

impl Config {
    /// The sections in the order of the reference.
    pub const SECTIONS: [super::settings::Section; 8] = [
        Server::SECTION,
        Data::SECTION,
        Store::SECTION,
        Gateway::SECTION,
        Plugins::SECTION,
        Jobs::SECTION,
        Dns::SECTION,
        Log::SECTION,
    ];

    /// The least demanded of a component, by setting or by where the server listens.
    #[must_use]
    pub fn plugin_trust(&self) -> Trust {
        self.plugins.trust.unwrap_or(if self.server.listen.ip().is_loopback() {
            Trust::Development
        } else {
            Trust::Community
        })
    }

    /// The root key's file.
    #[must_use]
    pub fn root_key_file(&self) -> PathBuf {
        self.data
            .root_key_file
            .clone()
            .unwrap_or_else(|| self.data.dir.join("root.key"))
    }
}
