//! Step 7: the usage-report plugin writes what the tenant used, from the dataset it was granted.

use super::Story;
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::time::Duration;

pub(super) async fn csv_and_xlsx(story: &mut Story, installation: &Value) -> anyhow::Result<()> {
    let imports = story.installed.report["imports"].to_string();
    ensure!(
        !imports.contains("host/http") && !imports.contains("host/dial"),
        "a report plugin reaches out: {imports}"
    );

    let id = installation["id"].as_str().context("the installation has an id")?;
    let path = format!("/api/v1/installations/{id}/check");
    let checked = story.owner.post(&path, json!({ "deep": true })).await?.ok(200)?;
    let findings = checked["findings"].as_array().context("findings")?;
    ensure!(
        !findings.is_empty() && findings.iter().all(|f| f["ok"] == true),
        "the plugin's own check reads the dataset: {checked}"
    );

    let reports = story.owner.get("/api/v1/reports").await?.ok(200)?;
    let report = reports["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|item| item["installation"] == installation["id"]);
    let report = report.context("the plugin's report is offered")?.clone();

    let csv = run(story, &report, "csv").await?;
    let csv = String::from_utf8(csv)?;
    ensure!(csv.contains("api.calls"), "{csv}");
    let used = csv
        .lines()
        .any(|line| line.contains("api.calls") && line.split(',').any(|cell| cell.trim_matches('"') == "5"));
    ensure!(used, "the five calls are not in the report:\n{csv}");

    let xlsx = run(story, &report, "xlsx").await?;
    let cells = spreadsheet(xlsx)?;
    ensure!(
        cells.iter().flatten().any(|cell| cell.contains("api.calls")),
        "{cells:?}"
    );
    ensure!(cells.iter().flatten().any(|cell| cell == "5"), "{cells:?}");
    Ok(())
}

/// Runs the report, waits for its file and checks it against what the API says about it.
async fn run(story: &mut Story, report: &Value, format: &str) -> anyhow::Result<Vec<u8>> {
    let body = json!({"installation": report["installation"], "report": report["report"], "format": format, "params": period()?});
    let accepted = story.owner.post("/api/v1/report-runs", body).await?;
    let run = accepted.ok(202)?;
    story
        .changes
        .push(("report.requested", accepted.request_id().to_owned()));
    let path = format!("/api/v1/report-runs/{}", run["id"].as_str().context("an id")?);
    for _ in 0..300 {
        let run = story.owner.get(&path).await?.ok(200)?;
        match run["status"].as_str() {
            Some("queued" | "running") => tokio::time::sleep(Duration::from_millis(100)).await,
            Some("succeeded") => {
                let request = story.owner.request(reqwest::Method::GET, &format!("{path}/file"));
                let answer = story.owner.browser.stream(request).await?.error_for_status()?;
                let file = answer.bytes().await?.to_vec();
                ensure!(run["file"]["bytes"] == file.len(), "{run}");
                ensure!(
                    run["file"]["sha256"] == hex::encode(sha2::Sha256::digest(&file)),
                    "{run}"
                );
                return Ok(file);
            }
            _ => bail!("{run}"),
        }
    }
    bail!("the report is not done after 30 seconds")
}

/// Yesterday to the day after tomorrow: today, whatever the clock's zone.
fn period() -> anyhow::Result<Value> {
    let day = |offset: i64| -> anyhow::Result<String> {
        let now = i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_secs())?;
        Ok(jiff::Timestamp::from_second(now + offset * 86_400)?.to_string()[..10].to_owned())
    };
    Ok(json!({"from": day(-1)?, "to": day(2)?}))
}

/// The cells of the first sheet, read by a library that has nothing to do with the one that wrote them.
fn spreadsheet(file: Vec<u8>) -> anyhow::Result<Vec<Vec<String>>> {
    use calamine::{Data, Reader as _, Xlsx};
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(file))?;
    let sheet = book.worksheet_range_at(0).context("a sheet")??;
    Ok(sheet
        .rows()
        .map(|row| row.iter().map(Data::to_string).collect())
        .collect())
}
