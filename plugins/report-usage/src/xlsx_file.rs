//! A workbook: the rows on one sheet (as tables, more when one is full), totals with a chart per unit on another.
//!
//! Texts are written as texts and never as formulas. Numbers that a spreadsheet can't hold exactly (it keeps 15 digits)
//! are written as text, because a rounded count is worse than one that can't be summed.

use crate::amount::Amount;
use crate::table::{Table, Totals};
use crate::texts::Texts;
use aistack_sdk::Fault;
use aistack_sdk::host::{Cell, File};
use rust_xlsxwriter::{
    Chart, ChartType, ColNum, DocProperties, ExcelDateTime, Format, RowNum, Workbook, Worksheet, XlsxError,
};

/// What the file is.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Most rows: a workbook is built in memory, and the sandbox has a bound.
pub(crate) const MAX_ROWS: u32 = 100_000;
/// Most charts; units beyond have their totals but no chart.
const MAX_CHARTS: usize = 8;
/// Rows of the sheet that a chart covers.
const CHART_ROWS: RowNum = 16;
const COLUMN_WIDTH: f64 = 18.0;

/// A workbook being built.
pub(crate) struct XlsxFile {
    file: File,
    book: Workbook,
    sheet: Worksheet,
    texts: Texts,
    date: Format,
    time: Format,
    columns: ColNum,
    rows: RowNum,
}

impl XlsxFile {
    pub(crate) fn start(file: File, texts: Texts, headings: &[String]) -> Result<Self, Fault> {
        let columns = ColNum::try_from(headings.len())
            .map_err(|_| Fault::invalid_input("too_many_columns", "the dataset has too many columns"))?;
        let mut sheet = Worksheet::new();
        sheet.set_name(texts.usage()).map_err(|e| failed(&e))?;
        head(&mut sheet, headings)?;
        Ok(Self {
            file,
            book: Workbook::new(),
            sheet,
            texts,
            date: Format::new().set_num_format("yyyy-mm-dd"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            columns,
            rows: 0,
        })
    }

    pub(crate) fn row(&mut self, row: &[Cell]) -> Result<(), Fault> {
        if self.rows == MAX_ROWS {
            let message = format!("more than {MAX_ROWS} rows");
            return Err(Fault::invalid_input("too_many_rows", message).user_message(self.texts.too_many_rows()));
        }
        self.rows += 1;
        for (cell, column) in row.iter().zip(0..) {
            self.cell(column, cell).map_err(|e| failed(&e))?;
        }
        Ok(())
    }

    fn cell(&mut self, column: ColNum, cell: &Cell) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut self.sheet, self.rows);
        match cell {
            Cell::Null => {}
            Cell::Text(text) => {
                sheet.write_string(row, column, text)?;
            }
            Cell::Int(value) => number(sheet, row, column, Amount::int(*value))?,
            Cell::Decimal(text) => match Amount::parse(text) {
                Some(amount) => number(sheet, row, column, amount)?,
                None => {
                    sheet.write_string(row, column, text)?;
                }
            },
            Cell::Date(text) => match ExcelDateTime::parse_from_str(text) {
                Ok(date) => {
                    sheet.write_datetime_with_format(row, column, &date, &self.date)?;
                }
                Err(_) => {
                    sheet.write_string(row, column, text)?;
                }
            },
            Cell::TimeMs(ms) => match ExcelDateTime::from_timestamp(ms.div_euclid(1000)) {
                Ok(time) => {
                    sheet.write_datetime_with_format(row, column, &time, &self.time)?;
                }
                Err(_) => {
                    sheet.write_string(row, column, crate::run::rfc3339(*ms))?;
                }
            },
            Cell::Flag(value) => {
                sheet.write_boolean(row, column, *value)?;
            }
        }
        Ok(())
    }

    /// Adds the totals and hands the file over. `now_ms` becomes the document's date, so that the bytes depend on
    /// nothing but data and clock.
    pub(crate) fn finish(mut self, table: &Table, totals: &Totals, now_ms: u64) -> Result<String, Fault> {
        if self.rows > 0 {
            self.sheet
                .autofilter(0, 0, self.rows, self.columns - 1)
                .map_err(|e| failed(&e))?;
        }
        let totals = totals_sheet(self.texts, table, totals)?;
        let created =
            ExcelDateTime::from_timestamp(i64::try_from(now_ms / 1000).unwrap_or(0)).map_err(|e| failed(&e))?;
        self.book.set_properties(
            &DocProperties::new()
                .set_title(self.texts.usage())
                .set_creation_datetime(&created),
        );
        self.book.push_worksheet(self.sheet);
        self.book.push_worksheet(totals);
        let bytes = self.book.save_to_buffer().map_err(|e| failed(&e))?;
        drop(self.book);
        for part in bytes.chunks(1 << 20) {
            self.file.write(part)?;
        }
        self.file.finish()
    }
}

/// Headings in bold, kept in sight.
fn head(sheet: &mut Worksheet, headings: &[String]) -> Result<(), Fault> {
    let bold = Format::new().set_bold();
    for (heading, column) in headings.iter().zip(0..) {
        sheet
            .write_string_with_format(0, column, heading, &bold)
            .map_err(|e| failed(&e))?;
        sheet.set_column_width(column, COLUMN_WIDTH).map_err(|e| failed(&e))?;
    }
    sheet.set_freeze_panes(1, 0).map_err(|e| failed(&e))?;
    Ok(())
}

fn totals_sheet(texts: Texts, table: &Table, totals: &Totals) -> Result<Worksheet, Fault> {
    let mut sheet = Worksheet::new();
    sheet.set_name(texts.totals()).map_err(|e| failed(&e))?;
    let group = table
        .group()
        .map_or_else(|| texts.all().to_owned(), |c| texts.heading(c));
    head(
        &mut sheet,
        &[group, texts.heading(table.measure()), texts.unit().to_owned()],
    )?;
    let mut row: RowNum = 0;
    // Lines are sorted by unit: the rows of one unit are a range, and each range gets its chart.
    let mut ranges: Vec<(String, RowNum, RowNum)> = Vec::new();
    for (unit, group, total) in totals.lines() {
        row += 1;
        let group = if group.is_empty() { texts.all() } else { group };
        sheet.write_string(row, 0, group).map_err(|e| failed(&e))?;
        number(&mut sheet, row, 1, total).map_err(|e| failed(&e))?;
        sheet.write_string(row, 2, unit).map_err(|e| failed(&e))?;
        match ranges.last_mut() {
            Some((last, _, end)) if last == unit => *end = row,
            _ => ranges.push((unit.to_owned(), row, row)),
        }
    }
    for ((unit, first, last), position) in ranges.iter().take(MAX_CHARTS).zip(0..) {
        let mut chart = Chart::new(ChartType::Bar);
        chart
            .add_series()
            .set_categories((texts.totals(), *first, 0, *last, 0))
            .set_values((texts.totals(), *first, 1, *last, 1));
        chart
            .title()
            .set_name(if unit.is_empty() { texts.totals() } else { unit });
        chart.legend().set_hidden();
        sheet
            .insert_chart(1 + position * CHART_ROWS, 4, &chart)
            .map_err(|e| failed(&e))?;
    }
    Ok(sheet)
}

fn number(sheet: &mut Worksheet, row: RowNum, column: ColNum, amount: Amount) -> Result<(), XlsxError> {
    match amount.spreadsheet() {
        Some(value) => sheet.write_number(row, column, value)?,
        None => sheet.write_string(row, column, amount.to_string())?,
    };
    Ok(())
}

fn failed(error: &XlsxError) -> Fault {
    Fault::internal("xlsx", format!("writing the workbook: {error}"))
}
