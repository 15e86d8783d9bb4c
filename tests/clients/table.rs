//! The table of clients in README.md: written from what their tests reported.

use std::fs;
use std::path::{Path, PathBuf};

use super::RUNS;
use super::report::{KINDS, Report};
use super::run::Run;

const BEGIN: &str = "<!-- Written by the tests: UPDATE_EXPECT=1 cargo test readme -->\n";
const END: &str = "<!-- Until here. -->\n";

/// A line of the table: runs that differ in their transport only.
struct Line {
    /// Language, client, version.
    cells: [String; 3],
    transports: Vec<&'static str>,
    report: Report,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn cells(run: &Run) -> [String; 3] {
    let join = |texts: Vec<String>| texts.join(", ");
    let names = run.packages.iter().map(|(name, _)| format!("`{name}`")).collect();
    let versions = run.packages.iter().map(|(_, version)| version.clone()).collect();
    [run.language.to_owned(), join(names), join(versions)]
}

fn lines() -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (_, run) in RUNS.iter() {
        let (cells, report) = (cells(run), run.report().clone());
        match lines.last_mut() {
            Some(last) if last.cells == cells && last.report == report => {
                last.transports.push(run.transport);
            }
            _ => lines.push(Line { cells, transports: vec![run.transport], report }),
        }
    }
    lines
}

/// What clients achieved, as Markdown.
fn table() -> String {
    let head = ["language", "client", "version", "speaks", "over"];
    let mut table = format!("| {} | {} | all |\n", head.join(" | "), KINDS.join(" | "));
    table += &format!("|{}{}\n", "---|".repeat(head.len()), "--:|".repeat(KINDS.len() + 1));
    let mut language = String::new();
    for Line { cells: [of, client, version], transports, report } in lines() {
        let speaks = Vec::from_iter(report.spoken).join(", ");
        let shown = if of == language { "" } else { &of };
        table +=
            &format!("| {shown} | {client} | {version} | {speaks} | {} |", transports.join(", "));
        for passed in report.passed {
            table += &if passed == 0 { " – |".to_owned() } else { format!(" {passed} |") };
        }
        table += &format!(" {} |\n", report.passed.iter().sum::<usize>());
        language = of;
    }
    table
}

/// Compares the table in README.md with what the clients achieve; `UPDATE_EXPECT=1` writes it down.
pub(crate) fn check() {
    let readme = fs::read_to_string(path()).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md says where the table begins");
    let (written, after) = rest.split_once(END).expect("README.md says where the table ends");
    let achieved = table();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path(), [before, BEGIN, &achieved, END, after].concat()).unwrap();
        return;
    }
    let only_in = |one: &str, other: &str, mark: &str| -> String {
        let missing = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        missing.map(|line| format!("{mark} {line}\n")).collect()
    };
    let difference = only_in(written, &achieved, "-") + &only_in(&achieved, written, "+");
    assert!(
        written == achieved,
        "README.md says (-) what the clients do not achieve (+):\n{difference}"
    );
}
