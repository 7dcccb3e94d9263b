//! What a payment plugin may import and an identity plugin may not, called as the test says.

use super::aistack::{
    core::types::HttpRequest,
    host::{blob, download, http, secrets},
};
use aistack_hostile::{
    calls::{self, Arguments, done},
    outcome, request_of,
};
use serde_json::Value;

/// What the calls have got so far.
#[derive(Default)]
struct Held {
    files: Vec<blob::Sink>,
    readers: Vec<download::Reader>,
}

/// Makes the calls, one after the other; what became of each.
pub(super) fn make(all: &Value) -> Value {
    calls::make(all, one)
}

fn one(op: &str, a: &mut Arguments<'_>, held: &mut Held) -> Option<Value> {
    Some(match op {
        "blob.create" => outcome!(blob::create(a.text(), a.text()).map(|f| held.files.push(f))),
        "blob.sink.write" => outcome!(a.one_of(&held.files)?.write(&a.bytes())),
        "blob.sink.finish" => outcome!(a.one_of(&held.files)?.finish()),
        "download.fetch" => {
            let key = (a.number() % 2 == 1).then(|| secrets::open("key", None).ok()).flatten();
            let packing =
                [download::Packing::None, download::Packing::Gzip, download::Packing::Zip][a.number() as usize % 3];
            let most = a.number();
            let charset = a.maybe();
            let credential = key.as_ref().map_or(http::Credential::None, http::Credential::Bearer);
            let fetched = download::fetch(&request_of!(a, HttpRequest), &credential, packing, charset, most);
            outcome!(fetched.map(|all| held.readers.extend(all)))
        }
        "download.reader.name" => return done(a.one_of(&held.readers)?.name()),
        "download.reader.size" => return done(a.one_of(&held.readers)?.size()),
        "download.reader.read" => outcome!(a.one_of(&held.readers)?.read(a.number(), a.number() as u32)),
        "download.reader.digest" => outcome!(a.one_of(&held.readers)?.digest(a.text())),
        "drop" => {
            held.files.pop();
            held.readers.pop();
            return done(());
        }
        _ => return None,
    })
}
