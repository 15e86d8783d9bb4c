//! `kill -9` at the worst moments, and what is on the disk afterwards. What the server has acknowledged is
//! there, all of it; what it has not is there as a whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{self, Program, check, execute};

fn close() -> Value {
    json!({ "type": "close" })
}

#[test]
fn an_acknowledged_write_is_there_after_kill_9() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    server.query("INSERT INTO t VALUES ('just acknowledged')");
    server.kill();

    let server = Program::start(data_dir.path());
    let expected = json!([{ "type": "text", "value": "just acknowledged" }]);
    assert_eq!(server.query("SELECT a FROM t"), [expected]);
    // And again, now that there was something to recover.
    server.query("UPDATE t SET a = 'changed'");
    server.kill();
    let server = Program::start(data_dir.path());
    assert_eq!(server.query("SELECT a FROM t")[0][0]["value"], "changed");
}

#[test]
fn an_acknowledged_database_is_there_after_kill_9_and_a_deleted_one_is_not() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
    let token = token.trim();
    for name in ["kept", "deleted"] {
        let fields = json!({ "name": name, "group": "default" });
        let answer = server.request("POST", "/v1/databases", token, &fields).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let path = "/v1/databases/deleted";
    assert_eq!(server.request("DELETE", path, token, &Value::Null).unwrap().status, 200);
    server.kill();

    let server = Program::start(data_dir.path());
    let statement = json!({ "stmt": { "sql": "CREATE TABLE t (a)" } });
    let use_it = |name: &str| {
        let path = format!("/db/{name}/v1/execute");
        server.request("POST", &path, "", &statement).unwrap().status
    };
    assert_eq!((use_it("kept"), use_it("deleted")), (200, 404));
}

#[test]
fn what_was_half_made_at_kill_9_is_gone_and_all_else_stays() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    server.kill();
    let databases = data_dir.path().join("databases");
    let names = || -> Vec<_> {
        let files = fs::read_dir(&databases).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    // A copy of a large database was being written; and something is here of which the server knows nothing.
    let half = "7b1a3f52-1f0a-4a5e-9a68-0d9c1b8b8a11.new";
    let unknown = "7b1a3f52-1f0a-4a5e-9a68-0d9c1b8b8a12.sqlite";
    for name in [half, &format!("{half}-wal"), unknown] {
        fs::write(databases.join(name), "half a page").unwrap();
    }
    let server = Program::start(data_dir.path());
    assert_eq!(server.query("SELECT * FROM t"), Vec::<Value>::new());
    let names = names();
    assert!(names.iter().any(|name| name == unknown), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with(half)), "{names:?}");
}

#[test]
fn files_that_a_crash_has_left_go_if_nothing_is_in_them() {
    let data_dir = TempDir::new().unwrap();
    let databases = data_dir.path().join("databases");
    let server = Program::start(data_dir.path());
    server.kill();
    let own = fs::read_dir(&databases).unwrap().map(|file| file.unwrap().path()).next().unwrap();
    let file = |number: u128| databases.join(format!("{}.sqlite", uuid::Uuid::from_u128(number)));
    let [lost, new, other, full] = [file(1), file(2), databases.join("lost.sqlite"), file(3)];
    for path in [&lost, &new, &other] {
        fs::copy(&own, path).unwrap();
    }
    #[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
    rusqlite::Connection::open(&full).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    for path in [&own, &lost, &other, &full] {
        let hours = std::time::SystemTime::now() - Duration::from_secs(7200);
        fs::File::options().append(true).open(path).unwrap().set_modified(hours).unwrap();
    }
    let server = Program::start(data_dir.path());
    for path in [&own, &new, &other, &full] {
        assert!(path.exists(), "{}", path.display());
    }
    assert!(!lost.exists());
    assert_eq!(server.query("SELECT 1")[0][0]["value"], "1");
}

#[test]
fn an_open_transaction_is_rolled_back_by_kill_9() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    let begun = [execute("BEGIN IMMEDIATE"), execute("INSERT INTO t VALUES (1)")];
    let begun = server.pipeline(&Value::Null, &json!(begun));
    // Enough to be in the file already, and not only in memory.
    let much = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)
        INSERT INTO t SELECT randomblob(4000) FROM n";
    let written = server.pipeline(&begun["baton"], &json!([execute(much)]));
    assert!(written["baton"].is_string());
    server.kill();

    let server = Program::start(data_dir.path());
    assert_eq!(server.query("SELECT count(*) FROM t")[0][0]["value"], "0");
    // Nobody holds the right to write any more.
    server.query("INSERT INTO t VALUES (2)");
}

#[test]
fn under_concurrent_writers_nothing_acknowledged_is_lost_and_nothing_is_halved() {
    const ROUNDS: u64 = 6;
    const WRITERS: u64 = 6;
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (id TEXT, half INTEGER, PRIMARY KEY (id, half))");
    server.kill();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let server = Program::start(data_dir.path());
        let address = server.address();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| std::thread::spawn(move || write_until_killed(address, round, writer)))
            .collect();
        // Not the same moment in every round.
        std::thread::sleep(Duration::from_millis(150 + 70 * round));
        server.kill();
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
        assert!(acknowledged.len() > before, "nothing was written in round {round}");
    }

    let server = Program::start(data_dir.path());
    assert_eq!(server.query("PRAGMA integrity_check")[0][0]["value"], "ok");
    let rows = server.query("SELECT id, count(*) FROM t GROUP BY id");
    let text = |value: &Value| value["value"].as_str().unwrap().to_owned();
    let halves: BTreeMap<_, _> = rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect();
    for id in &acknowledged {
        assert!(halves.contains_key(id), "{id} was acknowledged and is lost");
    }
    for (id, count) in halves {
        assert_eq!(count, "2", "of {id} only a part is there");
    }
}

/// Inserts two rows per transaction, again and again, and returns the transactions whose success was told.
fn write_until_killed(address: SocketAddr, round: u64, writer: u64) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let id = format!("{round}-{writer}-{number}");
        let first = execute(&format!("INSERT INTO t VALUES ('{id}', 1)"));
        let second = execute(&format!("INSERT INTO t VALUES ('{id}', 2)"));
        let begin = execute("BEGIN IMMEDIATE");
        let commit = execute("COMMIT");
        // The ways in which clients write: in one request, over several, in one statement.
        let done = match writer % 3 {
            0 => send(address, &Value::Null, &json!([begin, first, second, commit, close()])),
            1 => send(address, &Value::Null, &json!([begin, first]))
                .and_then(|baton| send(address, &baton, &json!([second])))
                .and_then(|baton| send(address, &baton, &json!([commit, close()]))),
            _ => {
                let both = execute(&format!("INSERT INTO t VALUES ('{id}', 1), ('{id}', 2)"));
                send(address, &Value::Null, &json!([both, close()]))
            }
        };
        match done {
            Some(_) => acknowledged.push(id),
            None => break,
        }
    }
    acknowledged
}

/// The baton of the answer, or nothing if the server has gone. Any other failure is a failure of the test.
fn send(address: SocketAddr, baton: &Value, requests: &Value) -> Option<Value> {
    let answer = program::pipeline(address, baton, requests).ok()?;
    check(&answer).unwrap_or_else(|error| panic!("{requests}: {error}"));
    Some(answer.body["baton"].clone())
}
