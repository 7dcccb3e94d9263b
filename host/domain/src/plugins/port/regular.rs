//! What plugins do by the clock, and what they publish.

use super::Event;

/// What a run of a regular job came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobRun {
    /// Applied as those of a delivery, repeated ones dropped by their ids.
    pub events: Vec<Event>,
    /// Handed to the next run.
    pub cursor: Option<Vec<u8>>,
    /// There is more to do at once.
    pub more: bool,
}

/// A document that anybody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// The bytes.
    pub body: Vec<u8>,
    /// How long it may be cached, seconds.
    pub max_age_s: u32,
}
