//! A component without a manifest.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:report/report-generator@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault};
use exports::aistack::report::generator;

struct Bare;
aistack_hostile::idle_core!(Bare);
export!(Bare);

impl generator::Guest for Bare {
    fn run(_: Context, _: String, _: String, _: String) -> Result<String, Fault> {
        Ok("{}".into())
    }
}
