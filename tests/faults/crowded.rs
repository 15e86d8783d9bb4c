//! A migration where all connections that the server may have are open already.

use std::fs;

use serde_json::json;

use super::client::{execute, outcome};
use super::estate::{Estate, SCHEMA, query};
use crate::program::{self, Program};

#[test]
fn a_migration_closes_connections_that_nobody_uses_where_there_is_no_room() {
    let estate = Estate::new();
    let mut command = std::process::Command::new("sh");
    // Room for twenty connections.
    command.env_clear().args(["-c", "ulimit -n 120; exec \"$0\" \"$@\""]);
    command.arg(program::command().get_program());
    command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(estate.data_dir());
    let server = Program::run(command);
    let token = fs::read_to_string(estate.data_dir().join("api-token")).unwrap();
    for number in 0..19 {
        let fields = json!({ "name": format!("plain{number}") });
        let answer = server.request("POST", "/v1/databases", token.trim(), &fields).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let path = format!("/db/{SCHEMA}/v2/pipeline");
    let send = |body| server.request("POST", &path, "", &body).unwrap().body;
    let begin = [execute("BEGIN"), execute("UPDATE t SET n = n + 1")];
    let begun = send(json!({ "requests": begin }));
    outcome(&begun).unwrap();
    for number in 0..19 {
        query(server.address(), &format!("plain{number}"), "SELECT 1").unwrap().unwrap();
    }
    let commit = send(json!({ "baton": begun["baton"], "requests": [execute("COMMIT")] }));
    outcome(&commit).unwrap();
    estate.check(&server, 1);
}
