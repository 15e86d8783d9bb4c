//! What is drawn of a report: bars of hranad's ratios to the others, and a curve for each cost that grows.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::report::{Report, Unit};
use crate::server::Kind;
use crate::svg::{Bars, Curve, Line};

/// In which order, and in which colours.
const SERVERS: [(Kind, &str); 4] = [
    (Kind::Hranad, "#1f6feb"),
    (Kind::Floor, "#8b949e"),
    (Kind::LibsqlServer, "#d2691e"),
    (Kind::Rqlite, "#2da44e"),
];

/// Writes `table.md`, `ratios.svg` and an SVG file per curve.
pub(crate) fn write(report: &Report, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("table.md"), report.table())?;
    if let Some(drawing) = ratios(report) {
        fs::write(directory.join("ratios.svg"), drawing)?;
    }
    let mut names: Vec<_> =
        report.rows.iter().filter_map(|row| row.point.map(|(curve, _)| curve)).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let drawing = curve(report, name).draw();
        fs::write(directory.join(format!("{name}.svg")), drawing)?;
    }
    Ok(())
}

/// Throughput of hranad as a multiple of the others'.
fn ratios(report: &Report) -> Option<String> {
    let mut bars = Bars {
        title: "requests/s of hranad as a multiple of the others'",
        series: SERVERS[1..].iter().map(|(kind, colour)| (kind.name(), *colour)).collect(),
        groups: Vec::new(),
    };
    for row in report.rows.iter().filter(|row| row.unit == Unit::PerSecond && row.point.is_none()) {
        let values: Vec<_> = SERVERS[1..].iter().map(|(kind, _)| row.ratio_to(*kind)).collect();
        if values.iter().any(Option::is_some) {
            bars.groups.push((&row.name, values));
        }
    }
    (!bars.groups.is_empty()).then(|| bars.draw())
}

fn curve<'a>(report: &'a Report, name: &'a str) -> Curve<'a> {
    let rows = || {
        report.rows.iter().filter_map(|row| {
            let (curve, size) = row.point?;
            (curve == name).then_some((row, size))
        })
    };
    let line = |(kind, colour): (Kind, &'static str)| {
        let points: Vec<_> =
            rows().filter_map(|(row, size)| Some((f64::from(size), row.median(kind)?))).collect();
        (!points.is_empty()).then(|| Line { name: kind.name(), colour, points })
    };
    let unit = rows().next().map_or("", |(row, _)| row.unit.label());
    Curve { title: name, unit, lines: SERVERS.into_iter().filter_map(line).collect() }
}
