//! What all lists share: where a page begins, and text search that means the same on both databases.

use aistack_store::Page;
use uuid::Uuid;

/// Most rows of a page, whatever was asked for.
const MOST: i64 = 200;
/// Longest search text that is looked for; the rest of it is ignored.
const LONGEST: usize = 200;

/// The id to go on from (exclusive) and the number of rows.
pub(crate) fn bounds(page: &Page) -> (Uuid, i64) {
    let first = if page.newest_first { Uuid::max() } else { Uuid::nil() };
    (page.after.unwrap_or(first), page.limit.clamp(1, MOST))
}

/// A `LIKE … ESCAPE '!'` pattern that finds the text anywhere; empty when nothing is looked for.
pub(crate) fn pattern(q: Option<&str>) -> String {
    let Some(q) = q.map(str::trim).filter(|q| !q.is_empty()) else {
        return String::new();
    };
    let mut pattern = String::from("%");
    for c in q.to_lowercase().chars().take(LONGEST) {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What goes into a `search` column: the texts in lower case, folded here because the databases fold differently.
pub(crate) fn folded(texts: &[&str]) -> String {
    texts.join("\n").to_lowercase()
}

/// The value of a guard's outcome.
pub(crate) fn changed_one(rows: u64) -> aistack_store::Result<()> {
    match rows {
        0 => Err(aistack_store::StoreError::Conflict),
        _ => Ok(()),
    }
}

/// A row count as the traits count.
pub(crate) fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
