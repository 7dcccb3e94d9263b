//! Taking a release back that fails too often.

use super::{State, Tally, end};
use crate::{App, Ctx, Problem};

/// Failures per mille.
fn rate(t: Tally) -> u64 {
    (t.failed * 1000).checked_div(t.calls).unwrap_or(0)
}

/// Why a candidate is to be taken back, if it is: it fails more often than the version in use, by more than is let pass.
fn verdict(from: Tally, to: Tally, max_errors: u16, min_calls: u64) -> Option<String> {
    let (usual, now) = (rate(from), rate(to));
    (to.calls >= min_calls && now > usual + u64::from(max_errors)).then(|| {
        format!(
            "{} of {} calls failed ({}.{} %); of the version in use {} of {}",
            to.failed,
            to.calls,
            now / 10,
            now % 10,
            from.failed,
            from.calls
        )
    })
}

/// Takes back what fails too often, by what this node has seen.
pub(in crate::plugins) async fn judge(app: &App) -> Result<(), Problem> {
    let running: Vec<_> = app.releases.running().iter().cloned().collect();
    for r in running {
        let release = &r.release;
        let held = app
            .held
            .reason(&release.to_digest)
            .map(|why| format!("the candidate is quarantined: {why}"));
        let failing = || verdict(r.from.read(), r.to.read(), release.max_errors, release.min_calls);
        if let Some(why) = held.or_else(failing) {
            tracing::error!(release = %release.id, plugin = %release.plugin_id, version = %release.to_version, "{why}: taken back");
            match end(app, &Ctx::system(None), &release.id, State::RolledBack, &why).await {
                // Another node was first.
                Err(p) if p.kind == aistack_core::ProblemKind::Conflict => super::refresh(app).await?,
                ended => drop(ended?),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_held_to_what_is_usual() {
        let t = |calls, failed| Tally { calls, failed };
        assert_eq!(verdict(t(100, 0), t(19, 19), 50, 20), None, "too few calls");
        assert!(verdict(t(100, 0), t(20, 2), 50, 20).is_some());
        assert_eq!(verdict(t(100, 0), t(20, 1), 50, 20), None, "5 % are let pass");
        assert_eq!(
            verdict(t(100, 50), t(100, 54), 50, 20),
            None,
            "the version in use fails too"
        );
        assert!(verdict(t(0, 0), t(1, 1), 0, 1).is_some());
    }
}
