//! Every query of the platform, written once. This folder belongs to no crate of its own: both stores mount it with
//! `#[path]`, so `query!` checks each statement against SQLite in one and against PostgreSQL in the other.
//!
//! The house subset (docs/sql.md) is what makes that possible. The mounting crate provides `crate::Db`, `crate::Conn`,
//! `crate::held::Held` (a transaction in progress) and `crate::dialect` (the few statements that differ).

mod audit;
mod list;
mod platform;
mod tenant;
mod tx;

mod error;
pub(crate) use error::settle_error;
pub(crate) use tx::{PlatformDb, TenantDb};

/// Runs one statement in the transaction of `$db` and settles its result: the first database error ends the
/// transaction, on both databases alike.
macro_rules! run {
    ($db:expr, $how:ident, $query:expr) => {{
        let result = $query.$how($db.held.conn()?).await;
        $db.held.settle(result)
    }};
}
pub(crate) use run;

/// Runs a page of a list: `$1` is the id to go on from, `$2` the number of rows; further arguments begin at `$3`.
macro_rules! page {
    ($db:expr, $page:expr, $row:ty, $sql:literal $(, $($args:tt)*)?) => {{
        let (after, limit) = $crate::sql::list::bounds($page);
        if $page.newest_first {
            $crate::sql::run!(
                $db,
                fetch_all,
                sqlx::query_as!($row, $sql + " AND id < $1 ORDER BY id DESC LIMIT $2", after, limit $(, $($args)*)?)
            )
        } else {
            $crate::sql::run!(
                $db,
                fetch_all,
                sqlx::query_as!($row, $sql + " AND id > $1 ORDER BY id ASC LIMIT $2", after, limit $(, $($args)*)?)
            )
        }
    }};
}
pub(crate) use page;
