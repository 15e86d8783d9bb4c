//! The page about compatibility: what it says of SQL is tested by conversations.

use std::fs;
use std::path::PathBuf;

/// The texts between backquotes.
fn codes(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether all parts of a piece of SQL are in requests; `…` stands for anything, and `n` for a number.
fn is_asked(code: &str, requests: &str) -> bool {
    let code = code.replace("(n)", "(").to_lowercase();
    code.split('…').all(|part| requests.contains(part.trim()))
}

#[test]
fn every_row_about_sql_is_played() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, sql) = page.split_once("\n## SQL\n").unwrap();
    let (sql, _) = sql.split_once("\n## ").unwrap();
    let requests: String = ["libsql", "functions"]
        .map(|name| fs::read_to_string(super::path(name)).unwrap())
        .join("\n")
        .lines()
        .filter(|line| line.starts_with('>'))
        .collect::<String>()
        .to_lowercase();
    let mut rows = 0;
    for row in sql.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        // Some rows name what is there in the second cell.
        let cell = cells.iter().find(|cell| cell.contains('`')).copied().unwrap_or_default();
        for code in codes(cell) {
            assert!(is_asked(code, &requests), "`{code}` is in no conversation");
            rows += 1;
        }
    }
    assert!(rows > 60, "{rows} pieces of SQL; the page is read wrongly");
}
