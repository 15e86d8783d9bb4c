//! Rules of ARCHITECTURE.md that a machine can check: who may name whom, and how large a file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the server, from the top down. Each may name only modules below it.
const ORDER: [&str; 22] = [
    "main",
    "greeting",
    "commands",
    "server",
    "listener",
    "tls",
    "router",
    "platform",
    "admin",
    "http",
    "hrana",
    "migration",
    "namespace",
    "sqlite",
    "keys",
    "fetch",
    "catalog",
    "data_dir",
    "auth",
    "config",
    "names",
    "error",
];

/// Named by everybody, naming nobody.
const BASE: &str = "limits";

/// Lines of a file, tests included; `policy_tests` and the like are tables.
const LINES_MAX: usize = 400;

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The top-level module that a file of `src` belongs to.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that the code of a file names; what its comments point to is free.
fn named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code: Vec<_> = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
    let text = code.join("\n");
    for start in ["crate::", "hranad::"] {
        for (index, _) in text.match_indices(start) {
            let rest = &text[index + start.len()..];
            let end =
                rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
            names.insert(rest[..end].to_owned());
        }
    }
    names
}

#[test]
fn modules_name_only_modules_below_them() {
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    for path in rust_files(&root().join("src")) {
        let module = module(&path);
        if module == "lib" || module == BASE {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("{module} has no place in ORDER"));
        for name in named(&fs::read_to_string(&path).unwrap()) {
            if name == module || name == BASE || name.is_empty() {
                continue;
            }
            let other = place(&name).unwrap_or_else(|| panic!("{name} has no place in ORDER"));
            assert!(other > own, "{} names {name}, which is above it", path.display());
        }
    }
}

#[test]
fn each_layer_keeps_its_library_to_itself() {
    // What may be named, by which modules.
    let rules: [(&str, &[&str]); 8] = [
        ("axum", &["http", "platform", "admin", "router", "listener"]),
        ("jsonwebtoken", &["auth"]),
        ("rusqlite", &["sqlite", "catalog", "error"]),
        ("rustls", &["tls"]),
        ("rcgen", &["tls"]),
        ("ureq", &["fetch"]),
        ("block_in_place(", &["sqlite"]),
        ("unsafe {", &["sqlite"]),
    ];
    for path in rust_files(&root().join("src")) {
        let module = module(&path);
        let text = fs::read_to_string(&path).unwrap();
        for (word, allowed) in rules {
            let is_named = text.lines().any(|line| line.contains(word) && !line.contains("//"));
            let message = format!("{} names {word}", path.display());
            assert!(!is_named || allowed.contains(&module.as_str()), "{message}");
        }
    }
}

#[test]
fn the_protocol_does_no_io() {
    for path in rust_files(&root().join("protocol/src")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["tokio", "axum", "rusqlite", "std::fs", "std::net", "std::thread", "Instant"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    for directory in
        ["src", "protocol/src", "protocol/fuzz/src", "protocol/fuzz/targets", "bench/src", "tests"]
    {
        for path in rust_files(&root().join(directory)) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is", path.display());
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn every_limit_is_used() {
    let (limits, rest): (Vec<_>, Vec<_>) = rust_files(&root().join("src"))
        .into_iter()
        .partition(|path| path.starts_with(root().join("src/limits")));
    let text = |paths: Vec<PathBuf>| -> String {
        paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let (limits, rest) = (text(limits), text(rest));
    assert!(!limits.is_empty());
    for line in limits.lines() {
        let Some(name) = line.strip_prefix("pub const ") else { continue };
        let name = name.split(':').next().unwrap();
        let used = rest.contains(&format!("limits::{name}"));
        let in_limits = ["KIB", "MIB"].contains(&name);
        assert!(used || in_limits, "limits::{name} is not used");
    }
}
