//! `aistack:report/generator` as the domain's `ReportPort`.

use super::{common::operation, convert as c};
use crate::host::PluginHost;
use aistack_domain::plugins::port::{Fault, Invocation, ReportPort, ReportRequest};
use serde_json::Value;

operation!(pub(super) fn run(report: String, params: String, format: String) -> Value
    = "aistack:report/generator#run"(&report, &params, &format),
    |summary: String| c::json_in(&summary, "the summary"));

#[async_trait::async_trait]
impl ReportPort for PluginHost {
    async fn run(&self, inv: Invocation, request: ReportRequest) -> Result<Value, Fault> {
        let given = (request.report, c::object_out(&request.params), request.format);
        PluginHost::run(self, inv, "generator.run", run(Some(given))).await
    }
}
