//! `jobs` and `documents` of the worlds that have them: identity and payment.

use super::{common::Pre, convert as c};
use crate::call::Work;
use aistack_domain::plugins::port::{Document, Fault, FaultKind, JobRun};

/// Largest document.
const MAX_DOCUMENT: usize = 256 << 10;
/// Largest cursor.
const MAX_CURSOR: usize = 64 << 10;

fn absent(what: &str) -> Fault {
    Fault::new(FaultKind::Unsupported, "unsupported", format!("reports have no {what}"))
}

/// What `$call` answers on the interface that identity and payment components both export, noted and taken apart by
/// `$parts`: each world has types of its own.
macro_rules! on_two_worlds {
    ($pre:expr, $store:expr, $interface:ident, $what:literal, |$i:ident| $call:expr, $parts:expr) => {
        match $pre {
            Pre::Identity(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                let answer = $call.await?;
                $store.data_mut().answered(&answer);
                answer.map($parts)
            }
            Pre::Payment(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                let answer = $call.await?;
                $store.data_mut().answered(&answer);
                answer.map($parts)
            }
            Pre::Report(_) => return Ok(Err(absent($what))),
        }
    };
}

/// `jobs.start`: name, cursor.
pub(crate) fn job(given: Option<(String, Option<Vec<u8>>)>) -> Work<JobRun> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (name, cursor) = store.data_mut().arguments(given)?;
            let cursor = cursor.as_deref();
            let answer = on_two_worlds!(
                pre,
                store,
                aistack_core_jobs,
                "jobs",
                |i| i.call_start(&mut *store, &context, &name, cursor),
                |r| (r.events, r.cursor, r.more)
            );
            Ok(answer.map_err(c::fault_in).and_then(|(events, cursor, more)| {
                if cursor.as_ref().is_some_and(|c| c.len() > MAX_CURSOR) {
                    return Err(c::bad_output("a cursor has at most 64 KiB"));
                }
                Ok(JobRun {
                    events: c::events_in(events)?,
                    cursor,
                    more,
                })
            }))
        })
    })
}

/// `documents.get`: name.
pub(crate) fn document(given: Option<(String,)>) -> Work<Document> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (name,) = store.data_mut().arguments(given)?;
            let answer = on_two_worlds!(
                pre,
                store,
                aistack_core_documents,
                "documents",
                |i| i.call_get(&mut *store, &context, &name),
                |d| (d.media_type, d.body, d.max_age_s)
            );
            Ok(answer.map_err(c::fault_in).and_then(|(media_type, body, max_age_s)| {
                if body.len() > MAX_DOCUMENT {
                    return Err(c::bad_output("a document has at most 256 KiB"));
                }
                Ok(Document {
                    media_type,
                    body,
                    max_age_s,
                })
            }))
        })
    })
}
