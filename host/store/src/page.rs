//! Keyset paging: ids are time-ordered, so a page is "so many, before (or after) this id".

use uuid::Uuid;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows (1..=200).
    pub limit: i64,
    /// The last id of the previous page.
    pub after: Option<Uuid>,
    /// Newest first (default) or oldest first.
    pub newest_first: bool,
    /// Case-insensitive text to look for, in the columns the list says.
    pub q: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: 50,
            after: None,
            newest_first: true,
            q: None,
        }
    }
}
