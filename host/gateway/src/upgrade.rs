//! After a WebSocket handshake: two connections, and bytes between them until either side ends.

use crate::body::After;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

/// Joins both sides once both have changed protocol. Ends with the first error or when both directions are done; then
/// the tenant's turn is given back.
pub(crate) fn join(caller: OnUpgrade, upstream: OnUpgrade, after: After) {
    tokio::spawn(async move {
        let both = tokio::try_join!(caller, upstream);
        match both {
            Ok((caller, upstream)) => copy(caller, upstream).await,
            Err(e) => tracing::debug!(error = %e, "an upgrade did not come about"),
        }
        drop(after);
    });
}

async fn copy(caller: Upgraded, upstream: Upgraded) {
    let (mut a, mut b) = (TokioIo::new(caller), TokioIo::new(upstream));
    if let Err(e) = copy_bidirectional(&mut a, &mut b).await {
        // One side going away without a close is how most of these end.
        tracing::debug!(error = %e, "an upgraded connection broke off");
    }
}
