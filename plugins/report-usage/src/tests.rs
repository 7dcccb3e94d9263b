//! The plugin against the SDK's double: what ends up in the files, and every refusal.

use crate::UsageReport;
use aistack_sdk::host::{Cell, Column, ColumnKind};
use aistack_sdk::report::{Generator as _, Job};
use aistack_sdk::{Context, Fault, Kind, Pair};
use aistack_sdk_test::{FakeHost, conformance, context};
use calamine::{Data, Reader as _, Xlsx};
use serde_json::{Value, json};
use std::io::Cursor;

const MANIFEST: &str = include_str!("../aistack-plugin.toml");
const SCHEMA: &str = include_str!("../config.schema.json");

fn column(name: &str, kind: ColumnKind, en: &str, zh: &str, unit: &str) -> Column {
    let label = |key: &str, value: &str| Pair {
        key: key.into(),
        value: value.into(),
    };
    Column {
        name: name.into(),
        kind,
        labels: vec![label("en", en), label("zh", zh)],
        unit: unit.into(),
    }
}

fn columns() -> Vec<Column> {
    vec![
        column("day", ColumnKind::Date, "Day", "日期", ""),
        column("meter", ColumnKind::Text, "Meter", "计量项", ""),
        column("quantity", ColumnKind::Decimal, "Quantity", "用量", ""),
        column("unit", ColumnKind::Text, "Unit", "单位", ""),
    ]
}

fn row(day: &str, meter: &str, quantity: &str, unit: &str) -> Vec<Cell> {
    vec![
        Cell::Date(day.into()),
        Cell::Text(meter.into()),
        Cell::Decimal(quantity.into()),
        Cell::Text(unit.into()),
    ]
}

fn rows() -> Vec<Vec<Cell>> {
    vec![
        row("2026-01-01", "api.calls", "10", "calls"),
        row("2026-01-01", "tokens", "1500.5", "tokens"),
        row("2026-01-02", "api.calls", "5", "calls"),
        row("2026-01-02", "tokens", "0.25", "tokens"),
    ]
}

fn host_with(config: Value, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> FakeHost {
    FakeHost::for_plugin(MANIFEST, config).dataset("usage.daily", columns, rows)
}

fn host(config: Value) -> FakeHost {
    host_with(config, columns(), rows())
}

fn job(format: &str) -> Job {
    Job {
        report: "usage".into(),
        params: json!({"from": "2026-01-01", "to": "2026-01-31"}),
        format: format.into(),
    }
}

fn zh() -> Context {
    Context {
        locale: "zh-CN".into(),
        ..context()
    }
}

fn csv_of(host: &FakeHost, ctx: &Context, job: Job) -> String {
    UsageReport.run(host, ctx, job).expect("the report is made");
    String::from_utf8(host.files()["usage_2026-01-01_2026-01-31.csv"].clone()).expect("UTF-8")
}

fn workbook(host: &FakeHost) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(host.files()["usage_2026-01-01_2026-01-31.xlsx"].clone()))
        .expect("opens")
}

#[test]
fn conforms() {
    let suite = conformance::Plugin {
        plugin: UsageReport,
        manifest: MANIFEST,
        schema: SCHEMA,
        config: json!({}),
        host: &host,
    };
    conformance::report::run(&suite, &json!({"from": "2026-01-01", "to": "2026-01-31"}));
}

/// The files as a whole, byte for byte: byte order mark, headings in the reader's language, CRLF.
#[test]
fn csv_files_are_what_they_were() {
    for (ctx, expected) in [
        (context(), include_str!("../fixtures/usage.en.csv")),
        (zh(), include_str!("../fixtures/usage.zh.csv")),
    ] {
        assert_eq!(csv_of(&host(json!({})), &ctx, job("csv")), expected);
    }
}

#[test]
fn config_and_locale_choose_mark_delimiter_and_language() {
    let host1 = host(json!({"csv_bom": false, "csv_delimiter": "semicolon"}));
    assert!(csv_of(&host1, &zh(), job("csv")).starts_with("日期;计量项;用量;单位\r\n"));
    let host2 = host(json!({"csv_bom": false, "csv_delimiter": "tab", "language": "en"}));
    assert!(csv_of(&host2, &zh(), job("csv")).starts_with("Day\tMeter\tQuantity\tUnit\r\n"));
    let host3 = host(json!({"csv_bom": false, "language": "zh"}));
    assert!(csv_of(&host3, &context(), job("csv")).starts_with("日期,"));
}

#[test]
fn texts_that_a_spreadsheet_would_run_are_disarmed_and_numbers_are_not() {
    let attacks = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1",
        "\n=1",
    ];
    let rows = attacks.iter().map(|a| row("2026-01-01", a, "-5", "calls")).collect();
    let host = host_with(json!({"csv_bom": false}), columns(), rows);
    let text = csv_of(&host, &context(), job("csv"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), attacks.len());
    for (record, attack) in records.iter().zip(attacks) {
        assert_eq!(record[1], format!("'{attack}"));
        assert_eq!(&record[2], "-5");
    }
}

#[test]
fn a_column_that_lies_about_its_numbers_is_not_trusted() {
    let host = host_with(json!({}), columns(), vec![row("2026-01-01", "m", "=1+1", "calls")]);
    let fault = UsageReport.run(&host, &context(), job("csv")).unwrap_err();
    assert_eq!(fault.code, "not_a_number");
    let host = host_with(json!({}), columns(), vec![vec![Cell::Null]]);
    assert_eq!(
        UsageReport.run(&host, &context(), job("csv")).unwrap_err().code,
        "row_shape"
    );
}

#[test]
fn fields_with_delimiters_quotes_and_line_breaks_are_quoted() {
    let host = host_with(
        json!({"csv_bom": false}),
        columns(),
        vec![row("2026-01-01", "a,\"b\"\r\nc", "1", "")],
    );
    assert!(csv_of(&host, &context(), job("csv")).contains("2026-01-01,\"a,\"\"b\"\"\r\nc\",1,\r\n"));
}

#[test]
fn totals_are_exact_and_meters_can_be_chosen() {
    let host1 = host(json!({}));
    let summary = UsageReport.run(&host1, &context(), job("csv")).unwrap();
    assert_eq!(summary["rows"], 4);
    assert_eq!(
        summary["totals"],
        json!([{"meter": "api.calls", "unit": "calls", "quantity": "15"}, {"meter": "tokens", "unit": "tokens", "quantity": "1500.75"}])
    );
    let mut only = job("csv");
    only.params["meters"] = json!(["tokens", "no such meter"]);
    let summary = UsageReport.run(&host(json!({})), &context(), only).unwrap();
    assert_eq!(
        (&summary["rows"], summary["totals"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
}

#[test]
fn the_dataset_is_asked_for_the_period_and_for_now() {
    let host = host(json!({}));
    UsageReport.run(&host, &context(), job("csv")).unwrap();
    let now = host.now_ms();
    assert_eq!(
        host.opened(),
        [(
            "usage.daily".to_owned(),
            json!({"from": "2026-01-01", "to": "2026-01-31"}),
            now
        )]
    );
}

#[test]
fn columns_are_read_from_the_dataset() {
    let other = vec![
        column("seen_at", ColumnKind::Time, "Seen", "时间", ""),
        column("model", ColumnKind::Text, "Model", "模型", ""),
        column("bytes", ColumnKind::Int, "Traffic", "流量", "B"),
        column("cached", ColumnKind::Flag, "Cached", "缓存", ""),
    ];
    let rows = vec![
        vec![
            Cell::TimeMs(1_767_225_600_000),
            Cell::Text("large".into()),
            Cell::Int(7),
            Cell::Flag(true),
        ],
        vec![
            Cell::TimeMs(1_767_225_600_123),
            Cell::Text("large".into()),
            Cell::Int(-2),
            Cell::Null,
        ],
    ];
    let host1 = host_with(json!({"csv_bom": false}), other.clone(), rows.clone());
    assert_eq!(
        csv_of(&host1, &zh(), job("csv")),
        "时间,模型,流量 (B),缓存\r\n2026-01-01T00:00:00Z,large,7,是\r\n2026-01-01T00:00:00.123Z,large,-2,\r\n"
    );
    let summary = UsageReport
        .run(&host_with(json!({}), other, rows), &context(), job("xlsx"))
        .unwrap();
    assert_eq!(
        summary["totals"],
        json!([{"meter": "large", "unit": "B", "quantity": "5"}])
    );
    let numberless = host_with(json!({}), vec![column("day", ColumnKind::Date, "", "", "")], Vec::new());
    assert_eq!(
        UsageReport.run(&numberless, &context(), job("csv")).unwrap_err().code,
        "dataset_without_numbers"
    );
}

#[test]
fn a_workbook_has_rows_totals_and_a_chart_per_unit() {
    let host = host(json!({}));
    UsageReport.run(&host, &zh(), job("xlsx")).unwrap();
    let mut book = workbook(&host);
    assert_eq!(book.sheet_names(), ["用量明细", "合计"]);
    let usage = book.worksheet_range("用量明细").unwrap();
    assert_eq!(usage.get_size(), (5, 4));
    assert_eq!(usage.get_value((0, 2)), Some(&Data::String("用量".into())));
    assert_eq!(usage.get_value((2, 2)), Some(&Data::Float(1500.5)));
    assert!(
        matches!(usage.get_value((1, 0)), Some(Data::DateTime(d)) if d.as_f64() == 46023.0),
        "a day is a real date"
    );
    let totals = book.worksheet_range("合计").unwrap();
    assert_eq!(totals.get_value((1, 0)), Some(&Data::String("api.calls".into())));
    assert_eq!(totals.get_value((1, 1)), Some(&Data::Float(15.0)));
    assert_eq!(totals.get_value((2, 1)), Some(&Data::Float(1500.75)));
    let bytes = &host.files()["usage_2026-01-01_2026-01-31.xlsx"];
    let charts = [1, 2, 3].map(|n| {
        bytes
            .windows(20)
            .any(|w| w.starts_with(format!("xl/charts/chart{n}.xml").as_bytes()))
    });
    assert_eq!(charts, [true, true, false], "a chart for calls and one for tokens");
}

#[test]
fn a_workbook_holds_texts_as_texts_and_long_numbers_whole() {
    let rows = vec![row(
        "2026-01-01",
        "=HYPERLINK(\"https://evil.example\")",
        "12345678901234567890.5",
        "calls",
    )];
    let host = host_with(json!({}), columns(), rows);
    UsageReport.run(&host, &context(), job("xlsx")).unwrap();
    let mut book = workbook(&host);
    let usage = book.worksheet_range("Usage").unwrap();
    assert_eq!(
        usage.get_value((1, 1)),
        Some(&Data::String("=HYPERLINK(\"https://evil.example\")".into()))
    );
    assert_eq!(
        usage.get_value((1, 2)),
        Some(&Data::String("12345678901234567890.5".into()))
    );
    assert!(book.worksheet_formula("Usage").unwrap().is_empty());
}

#[test]
fn nothing_used_still_makes_a_file() {
    for format in ["csv", "xlsx"] {
        let host = host_with(json!({}), columns(), Vec::new());
        let summary = UsageReport.run(&host, &context(), job(format)).unwrap();
        assert_eq!((&summary["rows"], &summary["totals"]), (&json!(0), &json!([])));
        assert_eq!(host.files().len(), 1);
    }
}

#[test]
fn many_rows_come_page_by_page_and_a_workbook_has_its_bound() {
    let many = |n: usize| vec![row("2026-01-01", "api.calls", "1", "calls"); n];
    let host1 = host_with(json!({}), columns(), many(2500));
    let summary = UsageReport.run(&host1, &context(), job("csv")).unwrap();
    assert_eq!(summary["totals"][0]["quantity"], "2500");
    assert_eq!(host1.reported_progress(), [40, 60, 70, 90, 100]);

    let host2 = host_with(json!({}), columns(), many(100_001));
    let fault = UsageReport.run(&host2, &zh(), job("xlsx")).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::InvalidInput, "too_many_rows"));
    assert!(fault.user_message.unwrap().contains("CSV"));
    assert!(host2.files().is_empty());
}

#[test]
fn a_run_can_be_cancelled_between_pages() {
    let host = host_with(json!({}), columns(), vec![row("2026-01-01", "m", "1", ""); 5000]).cancel_at(60);
    let fault = UsageReport.run(&host, &zh(), job("csv")).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Denied, "cancelled"));
    assert_eq!(fault.user_message.as_deref(), Some("报表已取消。"));
    assert!(host.files().is_empty() && host.files_started() == 1);
}

#[test]
fn parameters_are_checked() {
    for (params, code) in [
        (json!({"from": "2026-01-01"}), "params_invalid"),
        (json!({"from": "2026-01-01", "to": 5}), "params_invalid"),
        (json!({"from": "2026-02-30", "to": "2026-03-01"}), "params_invalid"),
        (
            json!({"from": "2026-01-01", "to": "2026-01-02", "tenant": "other"}),
            "params_invalid",
        ),
        (json!({"from": "2026-01-02", "to": "2026-01-01"}), "period_empty"),
        (json!([]), "params_invalid"),
    ] {
        let host = host(json!({}));
        let job = Job {
            params: params.clone(),
            ..job("csv")
        };
        let fault = UsageReport.run(&host, &context(), job).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::InvalidInput, code),
            "{params}"
        );
        assert!(host.opened().is_empty());
    }
}

#[test]
fn a_dataset_that_is_not_granted_is_a_fault_and_not_an_empty_report() {
    let manifest = MANIFEST.replace("datasets = [\"usage.daily\"]", "datasets = [\"usage.hourly\"]");
    let host = FakeHost::for_plugin(&manifest, json!({})).dataset("usage.daily", columns(), rows());
    let fault: Fault = UsageReport.run(&host, &context(), job("csv")).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Denied, "dataset_not_granted"));
}
