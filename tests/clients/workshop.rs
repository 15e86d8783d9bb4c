//! The workshop as `turso db shell` sends it over WebSocket: version 1 of Hrana, in the messages of the client
//! for Go, one statement at a time.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::TestServer;

const SCHEMA: &str = include_str!("workshop/schema.sql");
const DIRECT_MESSAGES: &str = include_str!("workshop/direct_messages.sql");
const FIRST_DATA: &str = "INSERT INTO users (username, email, display_name)
VALUES ('alice', 'alice@company1.com', 'Alice Johnson');
INSERT INTO channels (name, description)
VALUES ('general', 'General discussion');
INSERT INTO messages (channel_id, user_id, content)
VALUES (1, 1, 'Hello, welcome to our new Slack workspace!');
";
const MORE_DATA: &str = "INSERT INTO users (username, email, display_name)
VALUES ('bob', 'bob@company1.com', 'Bob Smith');
INSERT INTO direct_messages (sender_id, recipient_id, content)
VALUES (1, 2, 'Hi Bob, welcome to the team!');
";

/// What `.schema` and `.tables` send.
const DOT_SCHEMA: &str = "select sql || ';' from sqlite_schema
			where name not like 'sqlite_%'
			and name != '_litestream_seq'
			and name != '_litestream_lock'
			and name != 'libsql_wasm_func_table' order by tbl_name";
const DOT_TABLES: &str = "select name from sqlite_schema
			where type = 'table'
			and name not like 'sqlite_%'
			and name != '_litestream_seq'
			and name != '_litestream_lock'
			and name != 'libsql_wasm_func_table'
			order by name";

struct Shell(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Shell {
    async fn connect(server: &TestServer, database: &str) -> Self {
        let url = format!("ws://{}/db/{database}", server.address());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "hrana1".parse().unwrap());
        let (socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], "hrana1");
        let mut shell = Shell(socket);
        // It does not wait in between.
        shell.say(json!({ "type": "hello", "jwt": "" })).await;
        let open = json!({ "type": "open_stream", "stream_id": 0 });
        shell.say(json!({ "type": "request", "request_id": 0, "request": open })).await;
        assert_eq!(shell.hear().await, json!({ "type": "hello_ok" }));
        assert_eq!(shell.hear().await["type"], "response_ok");
        shell
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Types a statement, without its last semicolon; the response, or an error.
    async fn enter(&mut self, sql: &str) -> Value {
        let stmt = json!({ "sql": sql, "want_rows": true });
        let execute = json!({ "type": "execute", "stream_id": 0, "stmt": stmt });
        self.say(json!({ "type": "request", "request_id": 1, "request": execute })).await;
        let answer = self.hear().await;
        assert_eq!(answer["request_id"], 1);
        answer
    }

    async fn execute(&mut self, sql: &str) -> Value {
        let mut answer = self.enter(sql).await;
        assert_eq!(answer["type"], "response_ok", "{sql}: {answer}");
        answer["response"]["result"].take()
    }

    /// The table that the shell shows: values as texts, without `created_at`, which is looked at.
    async fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let result = self.execute(sql).await;
        let names: Vec<_> =
            result["cols"].as_array().unwrap().iter().map(|col| &col["name"]).collect();
        let show = |row: &Value| {
            let values = names.iter().zip(row.as_array().unwrap());
            let (times, others): (Vec<_>, Vec<_>) =
                values.partition(|(name, _)| **name == "created_at");
            assert!(times.iter().all(|(_, time)| time["value"].as_str().unwrap().len() == 19));
            others
                .iter()
                .map(|(_, value)| value["value"].as_str().unwrap_or("NULL").to_owned())
                .collect()
        };
        result["rows"].as_array().unwrap().iter().map(show).collect()
    }

    /// Types statements, each of which is a request.
    async fn script(&mut self, sql: &str) {
        for statement in sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            self.execute(statement.trim()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workshop_as_the_shell_of_turso_sends_it() {
    let server = TestServer::start().await;
    for name in ["workspace1-slack", "workspace2-slack"] {
        server.create_database(name).await;
        Shell::connect(&server, name).await.script(SCHEMA).await;
    }
    let mut shell = Shell::connect(&server, "workspace1-slack").await;
    shell.script(FIRST_DATA).await;
    let alice = ["1", "alice", "alice@company1.com", "Alice Johnson"];
    assert_eq!(shell.rows("SELECT * FROM users").await, [alice]);
    let general = ["1", "general", "General discussion", "0"];
    assert_eq!(shell.rows("SELECT * FROM channels").await, [general]);
    let welcome = ["1", "1", "1", "Hello, welcome to our new Slack workspace!"];
    assert_eq!(shell.rows("SELECT * FROM messages").await, [welcome]);

    let mut other = Shell::connect(&server, "workspace2-slack").await;
    for table in ["users", "channels", "messages"] {
        assert!(other.rows(&format!("SELECT * FROM {table}")).await.is_empty());
    }
    for shell in [&mut shell, &mut other] {
        shell.script(DIRECT_MESSAGES).await;
        let tables = ["channels", "direct_messages", "messages", "users"];
        assert_eq!(shell.rows(DOT_TABLES).await, tables.map(|table| [table]));
        let whole = [SCHEMA, DIRECT_MESSAGES].concat();
        for statement in shell.rows(DOT_SCHEMA).await {
            assert!(whole.contains(statement[0].as_str()), "{statement:?}");
        }
    }
    shell.script(MORE_DATA).await;
    let greeting = ["1", "1", "2", "Hi Bob, welcome to the team!"];
    assert_eq!(shell.rows("SELECT * FROM direct_messages").await, [greeting]);
    assert!(other.rows("SELECT * FROM direct_messages").await.is_empty());
    // A mistake is an answer, and the shell goes on.
    let wrong = shell.enter("SELECT * FROM nowhere").await;
    assert_eq!(wrong["type"], "response_error");
    assert_eq!(wrong["error"]["message"], "SQLite error: no such table: nowhere");
    assert_eq!(shell.rows("SELECT 1").await, [["1"]]);
    server.stop().await;
}
