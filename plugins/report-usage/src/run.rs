//! One run: reads the dataset page by page, feeds the file, counts, reports progress.

use crate::config::Config;
use crate::csv_file::CsvFile;
use crate::params::Params;
use crate::table::{Table, Totals};
use crate::texts::Texts;
use crate::xlsx_file::{self, XlsxFile};
use aistack_sdk::report::Job;
use aistack_sdk::{Context, Fault, Host};
use serde_json::{Value, json};

/// The dataset.
pub(crate) const DATASET: &str = "usage.daily";
/// Rows per page.
const PAGE: u32 = 1000;

/// What rows are written to.
enum Output {
    Csv(Box<CsvFile>),
    Xlsx(Box<XlsxFile>),
}

/// Makes the report.
pub(crate) fn run(host: &Host, ctx: &Context, job: &Job) -> Result<Value, Fault> {
    if job.report != "usage" {
        return Err(Fault::invalid_input(
            "no_such_report",
            format!("there is no report {:?}", job.report),
        ));
    }
    let config: Config = host.config()?;
    let params = Params::read(&job.params)?;
    let texts = Texts::choose(config.language, &ctx.locale);
    let mut rows = host.open_dataset(DATASET, &params.filter(), host.now_ms())?;
    let table = Table::of(rows.columns())?;
    let headings: Vec<_> = table.columns.iter().map(|c| texts.heading(c)).collect();
    let name = format!("usage_{}_{}.{}", params.from, params.to, job.format);
    let mut output = match job.format.as_str() {
        "csv" => Output::Csv(Box::new(CsvFile::start(
            host.create_file(&name, "text/csv; charset=utf-8")?,
            &config,
            texts,
            &headings,
        )?)),
        "xlsx" => Output::Xlsx(Box::new(XlsxFile::start(
            host.create_file(&name, xlsx_file::MEDIA_TYPE)?,
            texts,
            &headings,
        )?)),
        other => {
            return Err(Fault::invalid_input(
                "no_such_format",
                format!("there is no format {other:?}"),
            ));
        }
    };
    let mut totals = Totals::default();
    let mut written: u64 = 0;
    let mut pages: u32 = 0;
    loop {
        let page = rows.next(PAGE)?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            table.check(row)?;
            if !params.meters.is_empty() && !params.meters.iter().any(|m| m == table.group_of(row)) {
                continue;
            }
            totals.add(&table, row)?;
            match &mut output {
                Output::Csv(file) => file.row(row)?,
                Output::Xlsx(file) => file.row(row)?,
            }
            written += 1;
        }
        pages += 1;
        proceed(host, texts, share(pages))?;
    }
    proceed(host, texts, 90)?;
    let file = match output {
        Output::Csv(file) => file.finish()?,
        Output::Xlsx(file) => file.finish(&table, &totals, host.now_ms())?,
    };
    let _ = host.progress(100);
    let totals: Vec<_> = totals
        .lines()
        .map(|(unit, group, total)| json!({"meter": group, "unit": unit, "quantity": total.to_string()}))
        .collect();
    Ok(json!({"rows": written, "files": [file], "from": params.from, "to": params.to, "totals": totals}))
}

/// Opens the dataset with an empty period, to see whether it may be read. Returns the number of columns.
pub(crate) fn probe(host: &Host) -> Result<usize, Fault> {
    let day = &rfc3339(i64::try_from(host.now_ms()).unwrap_or(i64::MAX))[..10];
    let rows = host.open_dataset(DATASET, &json!({"from": day, "to": day}), host.now_ms())?;
    Table::of(rows.columns()).map(|t| t.columns.len())
}

/// A dataset does not say how many rows it has. Each page is taken for half of what is left, up to 80 %.
fn share(pages: u32) -> u8 {
    let left = 80_u32 >> pages.min(7);
    u8::try_from(80 - left).unwrap_or(80)
}

fn proceed(host: &Host, texts: Texts, percent: u8) -> Result<(), Fault> {
    if host.progress(percent) {
        return Ok(());
    }
    Err(Fault::denied("cancelled", "the run was cancelled").user_message(texts.cancelled()))
}

/// An instant as RFC 3339 text in UTC, with milliseconds only when there are some.
pub(crate) fn rfc3339(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days to civil date: Howard Hinnant's algorithm, eras of 400 years starting on March 1st.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second, millis) = (
        in_day / 3_600_000,
        in_day / 60_000 % 60,
        in_day / 1000 % 60,
        in_day % 1000,
    );
    let fraction = if millis == 0 {
        String::new()
    } else {
        format!(".{millis:03}")
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}
