//! A recorded call made again: the operation by its name, with the arguments that the journal has.

use super::{common, identity, payment, regular, report, rest};
use crate::host::PluginHost;
use aistack_domain::plugins::port::{Fault, FaultKind, Invocation, JournalMode};

/// Runs the operation with the journal's arguments. The answer is in the receipt.
macro_rules! again {
    ($host:expr, $inv:expr, $operation:expr, { $($name:literal => $work:expr,)* }) => {
        match $operation {
            $($name => $host.run($inv, $name, $work(None)).await.map(drop),)*
            other => Err(Fault::new(
                FaultKind::Unsupported,
                "no_such_operation",
                format!("this host has no operation {other:?}"),
            )),
        }
    };
}

impl PluginHost {
    /// Makes a recorded call again. How it went is in the receipt; the fault, if any, is the call's.
    ///
    /// # Errors
    /// The call's own fault, `replay_diverged` where the component left the journal, `no_journal` when the invocation is
    /// no replay.
    pub async fn replay(&self, inv: Invocation) -> Result<(), Fault> {
        let JournalMode::Replay(journal) = &inv.journal else {
            return Err(Fault::new(
                FaultKind::InvalidInput,
                "no_journal",
                "there is no journal to replay",
            ));
        };
        let operation = journal.operation.clone();
        again!(self, inv, operation.as_str(), {
            "lifecycle.describe" => common::describe,
            "lifecycle.check" => common::check,
            "lifecycle.migrate" => common::migrate,
            "inbound.handle" => common::inbound,
            "documents.get" => regular::document,
            "jobs.start" => regular::job,
            "login.begin" => identity::begin,
            "login.resume" => identity::resume,
            "login.unsolicited" => identity::unsolicited,
            "login.renew" => rest::renew,
            "login.logout" => identity::logout,
            "directory.sync" => identity::sync,
            "payments.create" => payment::create,
            "payments.resume" => payment::resume,
            "payments.fetch" => payment::fetch,
            "payments.capture" => rest::capture,
            "payments.cancel" => payment::cancel,
            "refunds.create" => payment::refund,
            "refunds.fetch" => rest::refund_fetch,
            "settlement.pull" => rest::settlement,
            "generator.run" => report::run,
        })
    }
}
