//! `datasets`: rows the platform has already filtered.

use super::{Answer, fault, revoked};
use crate::{
    call::CallState,
    v1::{
        bindings::{datasets as wit, types},
        convert::{fault_out, json_in},
    },
};
use aistack_core::Timestamp;
use aistack_domain::plugins::port::{Cell, Column, DatasetRows, FaultKind};
use wasmtime::component::Resource;

/// Most rows of one answer.
const MAX_ROWS: u32 = 1_000;

/// An open dataset.
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct Rows {
    name: String,
    rows: Box<dyn DatasetRows>,
}

fn column(c: &Column) -> wit::Column {
    wit::Column {
        name: c.name.clone(),
        kind: match c.kind.as_str() {
            "int" => wit::ColumnKind::Int,
            "decimal" => wit::ColumnKind::Decimal,
            "time" => wit::ColumnKind::Time,
            "date" => wit::ColumnKind::Date,
            "flag" => wit::ColumnKind::Flag,
            _ => wit::ColumnKind::Text,
        },
        labels: [("en", &c.label_en), ("zh", &c.label_zh)]
            .map(|(key, value)| types::Pair {
                key: key.to_owned(),
                value: value.clone(),
            })
            .into(),
        unit: c.unit.clone(),
    }
}

fn cell(c: Cell) -> wit::Cell {
    match c {
        Cell::Null => wit::Cell::Null,
        Cell::Text(t) => wit::Cell::Text(t),
        Cell::Int(i) => wit::Cell::Int(i),
        Cell::Decimal(d) => wit::Cell::Decimal(d),
        Cell::Time(t) => wit::Cell::TimeMs(t.as_millis()),
        Cell::Date(d) => wit::Cell::Date(d),
        Cell::Flag(f) => wit::Cell::Flag(f),
    }
}

impl wit::Host for CallState {
    async fn open(&mut self, name: String, filter: String, as_of_ms: u64) -> Answer<Resource<Rows>> {
        enter!(self, "datasets");
        if !self.inv.powers.now().datasets.contains(&name) {
            return Ok(Err(fault(
                FaultKind::Denied,
                "dataset_not_granted",
                format!("dataset {:?} is not granted", name.chars().take(80).collect::<String>()),
            )));
        }
        let Ok(filter) = json_in(&filter, "filter") else {
            return Ok(Err(fault(
                FaultKind::InvalidInput,
                "filter_invalid",
                "the filter is not JSON",
            )));
        };
        let as_of = Timestamp::from_millis(i64::try_from(as_of_ms).unwrap_or(i64::MAX));
        match self.inv.services.open_dataset(&name, filter, as_of).await {
            Ok(rows) => Ok(Ok(self.table.push(Rows { name, rows })?)),
            Err(f) => Ok(Err(fault_out(f))),
        }
    }

    fn progress(&mut self, percent: u8) -> wasmtime::Result<bool> {
        self.charge()?;
        Ok(self.inv.services.progress(percent.min(100)))
    }
}

impl wit::HostRows for CallState {
    fn columns(&mut self, rows: Resource<Rows>) -> wasmtime::Result<Vec<wit::Column>> {
        self.charge()?;
        Ok(self.table.get_mut(&rows)?.rows.columns().iter().map(column).collect())
    }

    async fn next(&mut self, rows: Resource<Rows>, max: u32) -> Answer<Vec<Vec<wit::Cell>>> {
        enter!(self, "datasets");
        let granted = self.inv.powers.now();
        let rows = self.table.get_mut(&rows)?;
        if !granted.datasets.contains(&rows.name) {
            return Ok(Err(revoked(&format!("dataset {:?}", rows.name))));
        }
        let page = rows.rows.next(max.min(MAX_ROWS)).await;
        Ok(page
            .map(|p| p.into_iter().map(|row| row.into_iter().map(cell).collect()).collect())
            .map_err(fault_out))
    }

    fn drop(&mut self, rows: Resource<Rows>) -> wasmtime::Result<()> {
        self.table.delete(rows)?;
        Ok(())
    }
}
