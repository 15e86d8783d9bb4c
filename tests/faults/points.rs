//! Points on the way to the disk at which the program dies: a library in C, put under the program, counts them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::estate::Estate;
use crate::program;

/// The library, built for these tests.
static POINTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("points.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/points.c");
    let mut compiler = Command::new("cc");
    // Another run of the tests may have it in use.
    let unfinished = library.with_extension(std::process::id().to_string());
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]).arg(&unfinished).arg(source);
    assert!(compiler.status().unwrap().success());
    fs::rename(unfinished, &library).unwrap();
    library
});

/// At which point of which kind the program dies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    pub(super) kind: &'static str,
    pub(super) at: usize,
}

/// Points are counted from the beginning, or once [`arm`] was called.
pub(super) fn doomed(estate: &Estate, death: Death) -> Command {
    let mut command = program::command();
    command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(estate.data_dir());
    command.env("LD_PRELOAD", &*POINTS).env("FAULT_LOG", estate.points());
    command.env("FAULT_KEPT", estate.kept());
    command.env("FAULT_KIND", death.kind).env("FAULT_AT", death.at.to_string());
    command
}

pub(super) fn arm(estate: &Estate) {
    estate.keep_what_is_durable();
    fs::write(estate.points(), "").unwrap();
}

/// The points that were passed.
pub(super) fn passed(estate: &Estate) -> Vec<String> {
    let points = fs::read_to_string(estate.points()).unwrap();
    points.lines().map(str::to_owned).collect()
}
