//! docs/troubleshooting.md: everything that goes wrong there goes wrong here, with the real clients. What they show has
//! to be quoted on the page, and nothing else, so that whoever searches for a message finds it.

mod access;
mod owner;
mod reach;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::super::javascript::node;
use super::super::page;
use super::super::run::run;
use super::cli::Turso;
use crate::program::Program;

/// Brings something about, in one or several ways, and returns what each client shows of it.
type BringAbout = fn() -> Vec<String>;

/// The sections of the page, and what brings about what each of them quotes.
const SECTIONS: [(&str, BringAbout); 14] = [
    ("The token is wrong, or there is none", access::a_wrong_token),
    ("The database is not found", access::a_database_that_is_not_found),
    ("The organization is wrong", access::a_wrong_organization),
    ("A clock is wrong", access::a_wrong_clock),
    ("The server does not run", reach::no_server),
    ("The host name is unknown, or is not the server's", reach::a_wrong_name),
    ("The certificate is not trusted", reach::a_certificate_nobody_trusts),
    ("One speaks TLS, the other does not", reach::tls_and_plain),
    ("The URL is not whole", reach::half_a_url),
    ("The port is taken", owner::a_port_that_is_taken),
    ("The data directory is in use", owner::a_data_directory_in_use),
    ("The server would be open to others", owner::open_to_others),
    ("A child's schema cannot be changed, or its rows for the moment", owner::a_child),
    ("The disk, or the database, is full", owner::full),
];

/// Texts in one line each, for their comparison.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a quotation, in which `…` stands for what differs from time to time, is of this text.
fn is_of(quotation: &str, shown: &str) -> bool {
    let (quotation, shown) = (squeeze(quotation), squeeze(shown));
    let mut pieces = quotation.split('…').map(str::trim);
    let Some(mut rest) = shown.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.is_empty() || quotation.ends_with('…')
}

/// The quotations of a section: its blocks of text.
fn quotations(section: &str) -> Vec<&str> {
    let blocks = section.split("```text\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

#[test]
fn what_the_page_quotes_is_what_is_shown() {
    let page = page("docs/troubleshooting.md");
    let sections: Vec<_> =
        page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect();
    let headings: Vec<_> = sections.iter().map(|(heading, _)| *heading).collect();
    assert_eq!(headings, SECTIONS.map(|(heading, _)| heading));
    let mut wrong = String::new();
    for ((heading, section), (_, bring_about)) in sections.into_iter().zip(SECTIONS) {
        let (quoted, shown) = (quotations(section), bring_about());
        for text in &shown {
            if !quoted.iter().any(|quotation| is_of(quotation, text)) {
                wrong += &format!("\n{heading}: not quoted:\n{text}\n");
            }
        }
        for quotation in quoted {
            if !shown.iter().any(|text| is_of(quotation, text)) {
                wrong += &format!("\n{heading}: quoted, but not shown:\n{quotation}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn quotations_leave_out_what_differs() {
    assert!(is_of("Error: … refused\n", "Error: 127.0.0.1:1\n refused"));
    assert!(is_of("a …", "a b") && is_of("… b", "a b") && is_of("a", "a\n"));
    assert!(!is_of("a", "a b") && !is_of("b", "a b") && !is_of("a … c", "a b"));
}

/// What is shown of JavaScript programs, and how they trust and find servers.
fn javascript(programs: &[Value], environment: &[(&str, &Path)], server: &Program) -> Vec<String> {
    let mut node: Command = node();
    node.env_remove("NODE_EXTRA_CA_CERTS").env_remove("NODE_OPTIONS");
    node.envs(environment.iter().copied());
    node.arg("support/shown.js").args(programs.iter().map(Value::to_string));
    serde_json::from_str(&run(node, server)).unwrap()
}

/// A statement that a program sends to the URL of a database.
fn sql(url: &str, token: &str) -> Value {
    serde_json::json!({ "url": url, "authToken": token, "sql": "SELECT 1" })
}

/// The same by the shell of the CLI.
fn shell(turso: &Turso, url: &str, token: &str) -> String {
    let query = if token.is_empty() { String::new() } else { format!("?authToken={token}") };
    turso.fails(&format!(r#"db shell {url}{query} "SELECT 1""#))
}
