//! The shape of a dataset: which column is what. Nothing but these roles is assumed, so a dataset may gain columns
//! without a new plugin.

use crate::amount::Amount;
use aistack_sdk::Fault;
use aistack_sdk::host::{Cell, Column, ColumnKind};
use std::collections::BTreeMap;

/// The columns and their roles.
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// What is summed: the numeric column `quantity`, or the first numeric one.
    measure: usize,
    /// What it is summed by: the text column `meter`, or the first text column that is neither unit nor day.
    group: Option<usize>,
    /// The unit of a row's measure.
    unit: Option<usize>,
}

impl Table {
    pub(crate) fn of(columns: Vec<Column>) -> Result<Self, Fault> {
        let find = |fits: &dyn Fn(&Column) -> bool, preferred: &str| {
            let fitting = |c: &Column| fits(c) && c.name == preferred;
            columns
                .iter()
                .position(fitting)
                .or_else(|| columns.iter().position(fits))
        };
        let numeric = |c: &Column| matches!(c.kind, ColumnKind::Int | ColumnKind::Decimal);
        let grouping = |c: &Column| c.kind == ColumnKind::Text && !["unit", "day"].contains(&c.name.as_str());
        let Some(measure) = find(&numeric, "quantity") else {
            return Err(Fault::invalid_input(
                "dataset_without_numbers",
                "the dataset has no numeric column to sum",
            ));
        };
        let group = find(&grouping, "meter");
        let unit = columns
            .iter()
            .position(|c| c.kind == ColumnKind::Text && c.name == "unit");
        Ok(Self {
            columns,
            measure,
            group,
            unit,
        })
    }

    pub(crate) fn measure(&self) -> &Column {
        &self.columns[self.measure]
    }

    pub(crate) fn group(&self) -> Option<&Column> {
        self.group.map(|i| &self.columns[i])
    }

    /// What a row is counted under.
    pub(crate) fn group_of<'a>(&self, row: &'a [Cell]) -> &'a str {
        self.group.map_or("", |i| text(&row[i]))
    }

    /// A row has a cell per column; a host that breaks its word is told so and not trusted.
    pub(crate) fn check(&self, row: &[Cell]) -> Result<(), Fault> {
        if row.len() == self.columns.len() {
            return Ok(());
        }
        Err(Fault::internal(
            "row_shape",
            format!("a row has {} cells for {} columns", row.len(), self.columns.len()),
        ))
    }
}

fn text(cell: &Cell) -> &str {
    match cell {
        Cell::Text(text) | Cell::Decimal(text) | Cell::Date(text) => text,
        _ => "",
    }
}

/// Sums by unit and group, in that order, so that what can be compared stands together.
#[derive(Default)]
pub(crate) struct Totals(BTreeMap<(String, String), Amount>);

impl Totals {
    pub(crate) fn add(&mut self, table: &Table, row: &[Cell]) -> Result<(), Fault> {
        let amount = match &row[table.measure] {
            Cell::Null => return Ok(()),
            Cell::Int(value) => Amount::int(*value),
            Cell::Decimal(text) => Amount::parse(text).ok_or_else(|| {
                Fault::internal("not_a_number", format!("{text:?} in column {}", table.measure().name))
            })?,
            other => {
                return Err(Fault::internal(
                    "not_a_number",
                    format!("{other:?} in column {}", table.measure().name),
                ));
            }
        };
        let unit = match table.unit {
            Some(i) => text(&row[i]),
            None => &table.measure().unit,
        };
        let total = self
            .0
            .entry((unit.to_owned(), table.group_of(row).to_owned()))
            .or_default();
        *total = total
            .checked_add(amount)
            .ok_or_else(|| Fault::internal("total_overflow", "a total does not fit 128 bits"))?;
        Ok(())
    }

    /// `(unit, group, total)`, sorted.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &str, Amount)> {
        self.0
            .iter()
            .map(|((unit, group), total)| (unit.as_str(), group.as_str(), *total))
    }
}
