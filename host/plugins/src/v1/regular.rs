//! `jobs` and `documents` of the worlds that have them: identity and payment.

use super::{
    bindings::identity::exports::aistack::core::{documents, jobs},
    common::operation,
    convert as c,
};
use aistack_domain::plugins::port::{Document, Fault, JobRun};

/// Largest document.
const MAX_DOCUMENT: usize = 256 << 10;
/// Largest cursor.
const MAX_CURSOR: usize = 64 << 10;

operation!(pub(crate) fn job(name: String, cursor: Option<Vec<u8>>) -> JobRun
    = "aistack:core/jobs#start"(&name, cursor.as_deref()), run_in);
operation!(pub(crate) fn document(name: String) -> Document = "aistack:core/documents#get"(&name), document_in);

fn run_in(run: jobs::Run) -> Result<JobRun, Fault> {
    if run.cursor.as_ref().is_some_and(|c| c.len() > MAX_CURSOR) {
        return Err(c::bad_output("a cursor has at most 64 KiB"));
    }
    Ok(JobRun {
        events: c::events_in(run.events)?,
        cursor: run.cursor,
        more: run.more,
    })
}

fn document_in(found: documents::Doc) -> Result<Document, Fault> {
    if found.body.len() > MAX_DOCUMENT {
        return Err(c::bad_output("a document has at most 256 KiB"));
    }
    Ok(Document {
        media_type: found.media_type,
        body: found.body,
        max_age_s: found.max_age_s,
    })
}
