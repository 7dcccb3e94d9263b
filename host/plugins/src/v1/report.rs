//! `aistack:report/generator` as the domain's `ReportPort`.

use super::{bindings::types, convert as c};
use crate::host::PluginHost;
use aistack_domain::plugins::port::{Fault, Invocation, ReportPort, ReportRequest};
use serde_json::Value;

#[async_trait::async_trait]
impl ReportPort for PluginHost {
    async fn run(&self, inv: Invocation, request: ReportRequest) -> Result<Value, Fault> {
        let params = c::object_out(&request.params);
        let ReportRequest { report, format, .. } = request;
        PluginHost::run(
            self,
            inv,
            "generator.run",
            Box::new(move |store, pre, context: types::Context| {
                Box::pin(async move {
                    let instance = match pre.report(store).await? {
                        Ok(i) => i,
                        Err(f) => return Ok(Err(f)),
                    };
                    let answer = instance
                        .aistack_report_generator()
                        .call_run(store, &context, &report, &params, &format)
                        .await?;
                    Ok(answer
                        .map_err(c::fault_in)
                        .and_then(|summary| c::json_in(&summary, "the summary")))
                })
            }),
        )
        .await
    }
}
