//! What the test runners of the languages report: how many tests of each kind passed.

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

/// How many tests passed, of each of the [`KINDS`]. What is not mentioned was skipped: the client cannot do it
/// with any server. A run with a test that failed has no report.
#[derive(Clone, PartialEq)]
pub(super) struct Report {
    pub(super) passed: [usize; KINDS.len()],
}

/// Of Node.js's runner, and of ours for Python: `ok 7 - values: texts`, and perhaps `# SKIP`.
pub(super) fn of_tap(output: &str) -> Report {
    let passed = output.lines().filter(|line| !line.contains("# SKIP"));
    count(
        passed.filter_map(|line| line.strip_prefix("ok ")?.split_once(" - ")?.1.split(':').next()),
    )
}

/// Of `go test -v`: `--- PASS: TestValues_Texts (0.01s)`.
pub(super) fn of_go(output: &str) -> Report {
    count(output.lines().filter_map(|line| line.strip_prefix("--- PASS: Test")?.split('_').next()))
}

/// Of `cargo test`: `test statements::values::texts ... ok`.
pub(super) fn of_cargo(output: &str) -> Report {
    let passed =
        output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"));
    count(passed.map(|name| name.rsplit("::").nth(1).unwrap_or_default()))
}

pub(super) fn count<'a>(kinds: impl Iterator<Item = &'a str>) -> Report {
    let mut passed = [0; KINDS.len()];
    for kind in kinds {
        let place = KINDS.iter().position(|known| known.eq_ignore_ascii_case(kind));
        passed[place.unwrap_or_else(|| panic!("{kind:?} is none of the kinds of tests"))] += 1;
    }
    Report { passed }
}
