//! The table: for each quantity the medians of all rounds, how far they spread, and ratios.
//!
//! A ratio is taken within a round, where both sides had the same neighbours, and then the median of the
//! ratios is taken.

use std::time::Duration;

use crate::driver::{Measured, quantile};
use crate::server::Kind;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    P50Micros,
    P99Micros,
    /// Of the server's processors, for one request.
    ProcessorMicros,
    /// The level that SQLite has: 1 is NORMAL, 2 is FULL.
    Synchronous,
    /// Requests of one measurement.
    Failed,
    Millis,
    Percent,
    Mebibytes,
    KibPerDatabase,
    KibPerSocket,
}

impl Unit {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Unit::PerSecond => "requests/s",
            Unit::P50Micros => "p50 µs",
            Unit::P99Micros => "p99 µs",
            Unit::ProcessorMicros => "CPU µs/request",
            Unit::Synchronous => "synchronous",
            Unit::Failed => "failed requests",
            Unit::Percent => "%",
            Unit::Millis => "ms",
            Unit::Mebibytes => "MiB",
            Unit::KibPerDatabase => "KiB/database",
            Unit::KibPerSocket => "KiB/socket",
        }
    }
}

/// All numbers of a run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// The curve that it is a point of, and where on it.
    pub(crate) point: Option<(&'static str, u32)>,
    /// By kind of server, then by round.
    values: [Vec<f64>; Kind::COUNT],
}

const HEAD: [&str; 10] = [
    "scenario",
    "unit",
    "hranad",
    "spread",
    "floor",
    "hranad/floor",
    "libsql-server",
    "hranad/libsql",
    "rqlite",
    "hranad/rqlite",
];

impl Report {
    pub(crate) fn add(&mut self, name: &str, unit: Unit, kind: Kind, value: f64) {
        self.row(name, unit).values[kind as usize].push(value);
    }

    /// Adds what is usual and what is long among times in their order.
    pub(crate) fn add_times(&mut self, name: &str, kind: Kind, times: &[Duration]) {
        for (unit, part) in [(Unit::P50Micros, 0.50), (Unit::P99Micros, 0.99)] {
            self.add(name, unit, kind, micros(quantile(times, part)));
        }
    }

    /// Adds what clients have waited, and how many of their requests have failed.
    pub(crate) fn add_waits(&mut self, name: &str, kind: Kind, measured: &Measured) {
        self.add(name, Unit::P50Micros, kind, micros(measured.p50));
        self.add(name, Unit::P99Micros, kind, micros(measured.p99));
        if measured.failed > 0 {
            self.add(name, Unit::Failed, kind, measured.failed as f64);
        }
    }

    /// Adds a value for the size `size` to a curve, which is drawn as well.
    pub(crate) fn add_point(
        &mut self,
        curve: &'static str,
        size: u32,
        unit: Unit,
        kind: Kind,
        value: f64,
    ) {
        let row = self.row(&format!("{curve}, {size}"), unit);
        row.point = Some((curve, size));
        row.values[kind as usize].push(value);
    }

    fn row(&mut self, name: &str, unit: Unit) -> &mut Row {
        let index = self.rows.iter().position(|row| row.name == name && row.unit == unit);
        let index = index.unwrap_or_else(|| {
            let (name, values) = (name.to_owned(), Default::default());
            self.rows.push(Row { name, unit, point: None, values });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// The table as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        let width = |column: usize| {
            lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        lines.insert(1, widths.map(|width| "-".repeat(width)));
        let pad = |cells: &[String; HEAD.len()]| {
            let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                // Names to the left, numbers to the right.
                if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
        };
        lines.iter().map(pad).collect()
    }
}

impl Row {
    /// The median of a server's values, if it has any.
    pub(crate) fn median(&self, kind: Kind) -> Option<f64> {
        median(self.values[kind as usize].iter().copied())
    }

    /// The median of hranad's ratios to another server within a round.
    pub(crate) fn ratio_to(&self, kind: Kind) -> Option<f64> {
        let [hranad, other] = [Kind::Hranad, kind].map(|kind| &self.values[kind as usize]);
        median(hranad.iter().zip(other).map(|(value, other)| value / other))
    }

    fn cells(&self) -> [String; HEAD.len()] {
        if self.unit == Unit::Synchronous {
            return self.levels();
        }
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
        let ratio = |kind| {
            let ratio = self.ratio_to(kind);
            ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
        };
        [
            self.name.clone(),
            self.unit.label().to_owned(),
            shown(self.median(Kind::Hranad)),
            spread(&self.values[Kind::Hranad as usize]),
            shown(self.median(Kind::Floor)),
            ratio(Kind::Floor),
            shown(self.median(Kind::LibsqlServer)),
            ratio(Kind::LibsqlServer),
            shown(self.median(Kind::Rqlite)),
            ratio(Kind::Rqlite),
        ]
    }

    /// Words instead of numbers, of which there are no ratios.
    fn levels(&self) -> [String; HEAD.len()] {
        let none = "–".to_owned();
        let [hranad, floor, libsql, rqlite] = self.values.each_ref().map(|values| {
            let word = values.last().map(|level| match *level {
                2.0 => "FULL".to_owned(),
                1.0 => "NORMAL".to_owned(),
                level => level.to_string(),
            });
            word.unwrap_or_else(|| none.clone())
        });
        let (name, unit) = (self.name.clone(), self.unit.label().to_owned());
        let no_ratio = || none.clone();
        [name, unit, hranad, no_ratio(), floor, no_ratio(), libsql, no_ratio(), rqlite, no_ratio()]
    }
}

fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    if values.is_empty() {
        "–".to_owned()
    } else {
        format!("{}–{}", number(least), number(most))
    }
}

/// A time in the unit of the table.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile(&values, 0.5))
}

fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
