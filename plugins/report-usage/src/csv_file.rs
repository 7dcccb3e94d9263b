//! CSV (RFC 4180): comma or another delimiter, CRLF, quotes where needed.
//!
//! Spreadsheets run a text cell that begins with `=`, `+`, `-` or `@` as a formula. A meter's name comes from outside,
//! so such texts get an apostrophe in front (the OWASP advice). Numbers are typed and never touched.

use crate::config::Config;
use crate::texts::Texts;
use aistack_sdk::Fault;
use aistack_sdk::host::{Cell, File};

/// A CSV file being written, a buffer at a time.
pub(crate) struct CsvFile {
    file: File,
    settings: csv::WriterBuilder,
    writer: csv::Writer<Vec<u8>>,
    texts: Texts,
    rows_in_buffer: usize,
}

/// How many rows are gathered before they cross to the host.
const BUFFERED_ROWS: usize = 1000;

impl CsvFile {
    pub(crate) fn start(mut file: File, config: &Config, texts: Texts, headings: &[String]) -> Result<Self, Fault> {
        if config.csv_bom {
            file.write("\u{feff}".as_bytes())?;
        }
        let mut settings = csv::WriterBuilder::new();
        settings
            .delimiter(config.csv_delimiter.byte())
            .terminator(csv::Terminator::CRLF);
        let writer = settings.from_writer(Vec::new());
        let mut this = Self {
            file,
            settings,
            writer,
            texts,
            rows_in_buffer: 0,
        };
        this.record(headings.iter().map(|h| guarded(h)))?;
        Ok(this)
    }

    pub(crate) fn row(&mut self, row: &[Cell]) -> Result<(), Fault> {
        let texts = self.texts;
        self.record(row.iter().map(|cell| field(cell, texts)))?;
        if self.rows_in_buffer >= BUFFERED_ROWS {
            self.drain()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<String, Fault> {
        self.drain()?;
        self.file.finish()
    }

    fn record(&mut self, fields: impl Iterator<Item = String>) -> Result<(), Fault> {
        self.rows_in_buffer += 1;
        self.writer.write_record(fields).map_err(|e| failed(&e))
    }

    fn drain(&mut self) -> Result<(), Fault> {
        let fresh = self.settings.from_writer(Vec::new());
        let bytes = core::mem::replace(&mut self.writer, fresh)
            .into_inner()
            .map_err(|e| failed(e.error()))?;
        self.rows_in_buffer = 0;
        self.file.write(&bytes)
    }
}

fn failed(error: &dyn core::fmt::Display) -> Fault {
    Fault::internal("csv", format!("writing CSV: {error}"))
}

fn field(cell: &Cell, texts: Texts) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Int(value) => value.to_string(),
        Cell::Decimal(text) if crate::amount::Amount::parse(text).is_some() => text.clone(),
        Cell::Text(text) | Cell::Date(text) | Cell::Decimal(text) => guarded(text),
        Cell::TimeMs(ms) => crate::run::rfc3339(*ms),
        Cell::Flag(value) => texts.flag(*value).to_owned(),
    }
}

/// A text that no spreadsheet takes for a formula.
fn guarded(text: &str) -> String {
    let dangerous = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if text.starts_with(dangerous) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
