//! NSD, an authoritative name server that serves parts of the root and of many top-level domains.

use super::process::{Command, Process};
use super::{PeerError, cache_dir, find_program};
use anyhow::{Context as _, anyhow};
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

/// A running name server.
pub struct Nsd {
    _process: Process,
}

impl Nsd {
    /// Starts one on a port of 127.0.0.1 for these zones: name and records, without SOA. A zone without records has no
    /// file, which makes the server answer SERVFAIL for it.
    ///
    /// # Errors
    /// When it is missing or does not start.
    pub async fn start(port: u16, zones: &[(&str, Option<&str>)]) -> Result<Self, PeerError> {
        let unpacked = cache_dir().join("nsd");
        let fetched = unpacked.join("usr/sbin/nsd");
        let program = find_program("nsd", &["/usr/sbin/nsd", &fetched.display().to_string()]);
        let program = program.ok_or(PeerError::Missing {
            what: "nsd".into(),
            part: "dns",
        })?;
        let command = Command::new(program)?;
        let scratch = command.scratch().to_path_buf();
        let folder = scratch.display();
        let mut configuration = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n chroot: \"\"\n zonesdir: \"{folder}\"\n \
             database: \"\"\n pidfile: \"{folder}/nsd.pid\"\n xfrdfile: \"{folder}/xfrd.state\"\n xfrdir: \
             \"{folder}\"\n zonelistfile: \"{folder}/zone.list\"\n server-count: 1\n rrl-ratelimit: 0\nremote-control:\n \
             control-enable: no\n"
        );
        for (zone, records) in zones {
            configuration.push_str(&format!("zone:\n name: {zone}\n zonefile: {zone}.zone\n"));
            if let Some(records) = records {
                let text = format!(
                    "$ORIGIN {zone}.\n$TTL 60\n@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60\n@ IN NS \
                     ns.{zone}.\nns IN A 127.0.0.1\n{records}\n"
                );
                std::fs::write(scratch.join(format!("{zone}.zone")), text).context("zone file")?;
            }
        }
        std::fs::write(scratch.join("nsd.conf"), configuration).context("nsd.conf")?;
        let libraries = format!(
            "{0}/usr/lib/x86_64-linux-gnu:{0}/usr/lib/aarch64-linux-gnu",
            unpacked.display()
        );
        let file = scratch.join("nsd.conf").display().to_string();
        let mut process = command
            .env("LD_LIBRARY_PATH", libraries)
            .args(["-d", "-c", &file])
            .spawn()?;
        process.ready_on_port(Duration::from_secs(20), port).await?;
        Ok(Self { _process: process })
    }
}

/// A place where a name server ought to be and nobody ever answers.
pub struct SilentNames {
    _udp: UdpSocket,
    _tcp: TcpListener,
    port: u16,
}

impl SilentNames {
    /// Takes a port for UDP and TCP that is free for both.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> anyhow::Result<Self> {
        for _ in 0..20 {
            let tcp = TcpListener::bind("127.0.0.1:0")?;
            let port = tcp.local_addr()?.port();
            if let Ok(udp) = UdpSocket::bind(("127.0.0.1", port)) {
                return Ok(Self {
                    _udp: udp,
                    _tcp: tcp,
                    port,
                });
            }
        }
        Err(anyhow!("no port is free for both UDP and TCP"))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}
