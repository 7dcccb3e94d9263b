//! The command line. A module per noun in `nouns`. Commands other than `serve` talk to a
//! running server through its public API, with the credentials `aistack login` saved.

mod client;
mod completion;
mod config;
mod credentials;
mod doctor;
mod nouns;
mod output;
mod sign_in;

pub use client::{Client, Remote};
pub use output::{Failure, Output};

use nouns::{audit, domain, isolation, order, plugin, quota, report, route, tenant, user};

use crate::{config as settings, logging, serve};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// The enterprise layer in front of an AI product: tenants, sign-in, quotas, payments, reports and audit in one binary.
#[derive(Debug, Parser)]
#[command(name = "aistack", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// Answer with JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Serve),
    /// Make the first operator, with the token of the link that `serve` printed
    Setup(sign_in::Setup),
    /// Sign in and keep the session for other commands
    Login(sign_in::Login),
    /// Sign out and forget the session
    Logout(sign_in::Logout),
    /// The proof that tenants are kept apart (operators)
    #[command(subcommand)]
    Isolation(isolation::Command),
    /// Tenants (operators)
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// A tenant's own domains
    #[command(subcommand)]
    Domain(domain::Command),
    /// Members of a tenant
    #[command(subcommand)]
    User(user::Command),
    /// Plugins: installed on the platform, enabled in tenants
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// The gateway's routes (operators)
    #[command(subcommand)]
    Route(route::Command),
    /// What a tenant may use
    #[command(subcommand)]
    Quota(quota::Command),
    /// Orders of a tenant
    #[command(subcommand)]
    Order(order::Command),
    /// Reports of a tenant
    #[command(subcommand)]
    Report(report::Command),
    /// The audit log, of the platform or of a tenant
    #[command(subcommand)]
    Audit(audit::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Look for what is wrong on this machine
    Doctor(Local),
    /// Print a script that completes commands in your shell
    Completion(completion::Completion),
    /// Print the OpenAPI document
    #[command(hide = true)]
    Openapi,
}

/// Where the configuration of this machine's server is.
#[derive(Debug, Clone, Args)]
pub struct Local {
    /// Configuration file; `aistack.toml` in the data folder when not given
    #[arg(long, env = "AISTACK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Local {
    /// The configuration: file, environment, and the data folder named here.
    fn load(&self) -> Result<(settings::Config, Option<PathBuf>), Failure> {
        let folder = self
            .data_dir
            .clone()
            .unwrap_or_else(|| settings::Config::default().data.dir);
        let source = match &self.config {
            Some(file) => settings::Source::File(file.clone()),
            None => settings::Source::Folder(folder),
        };
        let (mut config, file) = settings::load(&source, std::env::vars())?;
        if let Some(dir) = &self.data_dir {
            config.data.dir.clone_from(dir);
        }
        Ok((config, file))
    }
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    local: Local,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Fill an empty platform with a made-up business, marked as such
    #[arg(long)]
    demo: bool,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// As the command; see [`Failure`] for the exit codes.
    pub async fn run(self) -> Result<(), Failure> {
        let out = Output { json: self.json };
        match self.command {
            Command::Serve(arguments) => {
                let (mut config, _) = arguments.local.load()?;
                if let Some(listen) = arguments.listen {
                    config.server.listen = listen;
                }
                logging::start(&config)?;
                serve::serve(config, arguments.demo, &out).await
            }
            Command::Setup(c) => c.run(&out).await,
            Command::Login(c) => c.run(&out).await,
            Command::Logout(c) => c.run(&out).await,
            Command::Isolation(c) => c.run(&out).await,
            Command::Tenant(c) => c.run(&out).await,
            Command::Domain(c) => c.run(&out).await,
            Command::User(c) => c.run(&out).await,
            Command::Plugin(c) => c.run(&out).await,
            Command::Route(c) => c.run(&out).await,
            Command::Quota(c) => c.run(&out).await,
            Command::Order(c) => c.run(&out).await,
            Command::Report(c) => c.run(&out).await,
            Command::Audit(c) => c.run(&out).await,
            Command::Config(c) => c.run(&out),
            Command::Doctor(c) => doctor::run(&c, &out).await,
            Command::Completion(c) => c.run(),
            Command::Openapi => {
                let document = aistack_http::openapi::document(&aistack_http::routes::all());
                let text = serde_json::to_string_pretty(&document)?;
                Output { json: false }.value(&document, |w| writeln!(w, "{text}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
