//! What the test runners of the languages report, how many tests of each kind passed; and what the server's log
//! says of the protocol that the client spoke.

use std::collections::BTreeSet;

use super::run::Finished;

/// What is tested of a client. The name of each test begins with one of these, in the way of its language.
pub(super) const KINDS: [&str; 10] = [
    "basics",
    "values",
    "int64",
    "transactions",
    "conflicts",
    "batches",
    "scripts",
    "errors",
    "large",
    "parallel",
];

/// What a line of the server's log shows of the protocol that a client speaks.
const SPOKEN: [(&str, &str); 9] = [
    (r#"path="/v1/execute""#, "Hrana 1"),
    (r#"path="/v1/batch""#, "Hrana 1"),
    ("a socket opens version=Hrana1 encoding=Json", "Hrana 1"),
    (r#"path="/v2/pipeline""#, "Hrana 2"),
    ("a socket opens version=Hrana2 encoding=Json", "Hrana 2"),
    (r#"path="/v3/"#, "Hrana 3"),
    ("a socket opens version=Hrana3 encoding=Json", "Hrana 3"),
    (r#"path="/v3-protobuf/"#, "Hrana 3 in Protobuf"),
    ("a socket opens version=Hrana3 encoding=Protobuf", "Hrana 3 in Protobuf"),
];

/// What one run achieved. A run with a test that failed has no report.
#[derive(Clone, PartialEq)]
pub(super) struct Report {
    /// How many tests passed, of each of the [`KINDS`]. What is not mentioned was skipped: the client cannot do it
    /// with any server.
    pub(super) passed: [usize; KINDS.len()],
    /// The versions of the protocol in which the server was asked.
    pub(super) spoken: BTreeSet<&'static str>,
}

/// Of Node.js's runner, and of ours for Python: `ok 7 - values: texts`, and perhaps `# SKIP`.
pub(super) fn of_tap(finished: &Finished) -> Report {
    let lines = finished.output.lines().filter(|line| !line.contains("# SKIP"));
    let names = lines.filter_map(|line| Some(line.strip_prefix("ok ")?.split_once(" - ")?.1));
    Report::new(names.filter_map(|name| name.split(':').next()), spoken(&finished.log))
}

/// Of `go test -v`: `--- PASS: TestValues_Texts (0.01s)`.
pub(super) fn of_go(finished: &Finished) -> Report {
    let names = finished.output.lines().filter_map(|line| line.strip_prefix("--- PASS: Test"));
    Report::new(names.filter_map(|name| name.split('_').next()), spoken(&finished.log))
}

/// Of `cargo test`: `test statements::values::texts ... ok`.
pub(super) fn of_cargo(finished: &Finished) -> Report {
    let lines = finished.output.lines();
    let names = lines.filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"));
    Report::new(names.filter_map(|name| name.rsplit("::").nth(1)), spoken(&finished.log))
}

fn spoken(log: &str) -> impl Iterator<Item = &'static str> {
    SPOKEN.iter().filter(|(sign, _)| log.contains(sign)).map(|(_, version)| *version)
}

impl Report {
    /// From the kind of each test that passed.
    pub(super) fn new<'a>(
        kinds: impl Iterator<Item = &'a str>,
        spoken: impl Iterator<Item = &'static str>,
    ) -> Self {
        let mut passed = [0; KINDS.len()];
        for kind in kinds {
            let place = KINDS.iter().position(|known| known.eq_ignore_ascii_case(kind));
            passed[place.unwrap_or_else(|| panic!("{kind:?} is none of the kinds of tests"))] += 1;
        }
        Report { passed, spoken: spoken.collect() }
    }
}
