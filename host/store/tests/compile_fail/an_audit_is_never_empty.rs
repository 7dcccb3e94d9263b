//! Entries of a commit can't be made empty or by hand.

use aistack_store::Audit;

pub fn nothing() -> Audit {
    Audit(Vec::new())
}

pub fn none() -> Audit {
    Audit::many(Vec::new())
}

fn main() {}
