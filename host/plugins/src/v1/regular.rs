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

/// `jobs.start`.
pub(crate) fn job(name: String, cursor: Option<Vec<u8>>) -> Work<JobRun> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let cursor = cursor.as_deref();
            let answer = match pre {
                Pre::Identity(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    let run = i.aistack_core_jobs().call_start(store, &context, &name, cursor).await?;
                    run.map(|r| (r.events, r.cursor, r.more))
                }
                Pre::Payment(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    let run = i.aistack_core_jobs().call_start(store, &context, &name, cursor).await?;
                    run.map(|r| (r.events, r.cursor, r.more))
                }
                Pre::Report(_) => return Ok(Err(absent("jobs"))),
            };
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

/// `documents.get`.
pub(crate) fn document(name: String) -> Work<Document> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let answer = match pre {
                Pre::Identity(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    let doc = i.aistack_core_documents().call_get(store, &context, &name).await?;
                    doc.map(|d| (d.media_type, d.body, d.max_age_s))
                }
                Pre::Payment(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    let doc = i.aistack_core_documents().call_get(store, &context, &name).await?;
                    doc.map(|d| (d.media_type, d.body, d.max_age_s))
                }
                Pre::Report(_) => return Ok(Err(absent("documents"))),
            };
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
