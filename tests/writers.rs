//! Many who write one database at the same time: what they cost while they wait for each other, and what their log does.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, execute};

/// Logs that a server has open, one for each connection.
fn open_logs(server: &Program) -> usize {
    let entries = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let paths = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    paths.filter(|path: &PathBuf| path.to_str().is_some_and(|path| path.ends_with("-wal"))).count()
}

/// The length of all logs of databases.
fn log_bytes(data_dir: &TempDir) -> u64 {
    let entries = fs::read_dir(data_dir.path().join("databases")).unwrap().map(Result::unwrap);
    let logs = entries.filter(|entry| entry.file_name().to_str().unwrap().ends_with("-wal"));
    logs.map(|log| log.metadata().unwrap().len()).sum()
}

#[test]
fn who_waits_to_write_holds_no_connection() {
    const WAITING: usize = 40;
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    let begin = json!([execute("BEGIN"), execute("INSERT INTO t VALUES (0)")]);
    let baton = server.pipeline(&Value::Null, &begin)["baton"].clone();
    let holding = open_logs(&server);
    thread::scope(|scope| {
        for number in 1..=WAITING {
            let server = &server;
            // Single statements, a sequence, and the first statement of a transaction that writes.
            let insert = format!("INSERT INTO t VALUES ({number})");
            scope.spawn(move || match number % 3 {
                0 => drop(server.query(&insert)),
                1 => {
                    let sequence =
                        json!([{ "type": "sequence", "sql": format!("{insert}; SELECT 1") }]);
                    server.pipeline(&Value::Null, &sequence);
                }
                _ => {
                    let transaction =
                        [execute("BEGIN IMMEDIATE"), execute(&insert), execute("COMMIT")];
                    server.pipeline(&Value::Null, &json!(transaction));
                }
            });
        }
        thread::sleep(Duration::from_secs(1));
        let open = open_logs(&server);
        // Eight are kept ready for whoever comes.
        assert!(open <= holding + 8, "{open} connections, {holding} before");
        server.pipeline(&baton, &json!([execute("COMMIT"), { "type": "close" }]));
    });
    assert_eq!(server.query("SELECT count(*) FROM t")[0][0]["value"], (WAITING + 1).to_string());
}

#[test]
fn the_log_is_moved_into_the_file_however_many_write() {
    const WRITERS: usize = 8;
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    let until = Instant::now() + Duration::from_secs(3);
    let longest = thread::scope(|scope| {
        let write = || {
            let mut longest = 0;
            while Instant::now() < until {
                server.query("INSERT INTO t VALUES (zeroblob(100000))");
                longest = longest.max(log_bytes(&data_dir));
            }
            longest
        };
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).max().unwrap()
    });
    let written = server.query("SELECT sum(length(a)) FROM t")[0][0]["value"].clone();
    let written: u64 = written.as_str().unwrap().parse().unwrap();
    // A thousand pages are 4 MB. What is written while they are moved comes on top.
    assert!(
        written > 40_000_000 && longest < 30_000_000,
        "{written} were written, the log had {longest}"
    );
}
