//! The workshop from its first step to its last, as its text has it: a schema database, and children that get what is
//! changed in it.

use serde_json::json;

use super::cli::Turso;

const TABLES: &str = include_str!("../workshop/schema.sql");
const DIRECT_MESSAGES: &str = include_str!("../workshop/direct_messages.sql");

#[test]
fn part_1_a_workspace_is_a_child_of_the_schema_database() {
    let turso = Turso::start();
    // 1, 2
    turso.ok("db create slack-schema --type schema");
    let mut shell = turso.shell("slack-schema");
    assert_eq!(shell.answer(TABLES), "");
    shell.quit();
    // 3
    let schema = turso.ok(r#"db shell slack-schema ".schema""#);
    for table in ["users", "channels", "messages"] {
        assert!(schema.contains(&format!("CREATE TABLE {table} (")), "{schema}");
    }
    assert_eq!(schema.matches("CREATE").count(), 3, "{schema}");
    // 4, 5
    turso.ok("db create workspace1-slack --schema slack-schema");
    let mut shell = turso.shell("workspace1-slack");
    for insert in [
        "INSERT INTO users (username, email, display_name)\n\
         VALUES ('alice', 'alice@company1.com', 'Alice Johnson');",
        "INSERT INTO channels (name, description)\nVALUES ('general', 'General discussion');",
        "INSERT INTO messages (channel_id, user_id, content)\n\
         VALUES (1, 1, 'Hello, welcome to our new Slack workspace!');",
    ] {
        assert_eq!(shell.answer(insert), "");
    }
    // 6
    for (table, row) in [
        ("users", "alice@company1.com"),
        ("channels", "General discussion"),
        ("messages", "Hello, welcome to our new Slack workspace!"),
    ] {
        let rows = shell.answer(&format!("SELECT * FROM {table};"));
        assert_eq!(rows.lines().count(), 2, "{rows}");
        assert!(rows.contains(row), "{rows}");
    }
    shell.quit();
    // 7, 8
    turso.ok("db create workspace2-slack --schema slack-schema");
    let mut shell = turso.shell("workspace2-slack");
    for table in ["users", "channels", "messages"] {
        let rows = shell.answer(&format!("SELECT * FROM {table};"));
        assert_eq!(rows.lines().count(), 1, "only the names of the columns: {rows}");
    }
    shell.quit();
    // 9
    let url = turso.ok("db show slack-schema --http-url");
    let mut shell = turso.shell(url.trim());
    assert_eq!(shell.answer(DIRECT_MESSAGES), "");
    shell.quit();
    // 10
    let schema = turso.ok(r#"db shell workspace1-slack ".schema""#);
    assert!(schema.contains("CREATE TABLE direct_messages ("), "{schema}");
    assert_eq!(schema.matches("CREATE").count(), 4, "nothing of ours is seen: {schema}");
    // 11
    let mut shell = turso.shell("workspace1-slack");
    shell.answer(
        "INSERT INTO users (username, email, display_name)\n\
         VALUES ('bob', 'bob@company1.com', 'Bob Smith');",
    );
    shell.answer(
        "INSERT INTO direct_messages (sender_id, recipient_id, content)\n\
         VALUES (1, 2, 'Hi Bob, welcome to the team!');",
    );
    assert!(
        shell.answer("SELECT * FROM direct_messages;").contains("Hi Bob, welcome to the team!")
    );
    shell.quit();
    // 12
    let schema = turso.ok(r#"db shell workspace2-slack ".schema""#);
    assert!(schema.contains("CREATE TABLE direct_messages ("), "{schema}");
    let none = turso.table(r#"db shell workspace2-slack "SELECT * FROM direct_messages""#);
    assert_eq!(none.len(), 1, "{none:?}");
    // What was learned: a workspace does not change the schema by itself.
    let why = turso.fails(r#"db shell workspace1-slack "CREATE TABLE mine (id)""#);
    assert!(why.contains("the schema database slack-schema; change it there"), "{why}");
}

#[test]
fn part_2_a_user_is_a_child_of_the_schema_database() {
    let turso = Turso::start();
    // 1, 2
    turso.ok("db create todos-schema --type schema");
    let mut shell = turso.shell("todos-schema");
    shell.answer(
        "CREATE TABLE todos (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    description TEXT\n);",
    );
    let schema = shell.answer(".schema");
    assert!(schema.starts_with("CREATE TABLE todos ("), "{schema}");
    shell.quit();
    // 3 to 6, and what the application of the workshop does for a user who signs in.
    let platform_token = turso.ok("auth api-tokens mint a-memorable-name");
    let group_token = turso.ok("group tokens create default");
    let organization = turso.ok("auth whoami");
    let path = format!("/v1/organizations/{}/databases", organization.trim());
    let body = json!({ "name": "user-1", "group": "default", "schema": "todos-schema" });
    let created = turso.request("POST", &path, platform_token.trim(), &body);
    assert_eq!(created.status, 200, "{created:?}");
    let insert = "INSERT INTO todos (description) VALUES ('see the workshop')";
    turso.query(group_token.trim(), "user-1", insert).unwrap();
    turso.ok("db create unrelated");
    // 9
    let children = turso.ok("db list --schema todos-schema");
    assert!(children.contains("user-1") && !children.contains("unrelated"), "{children}");
    assert_eq!(
        children.lines().filter(|line| line.contains("todos-schema")).count(),
        0,
        "{children}"
    );
    // 10
    let mut shell = turso.shell("user-1");
    assert!(shell.answer("select * from todos;").contains("see the workshop"));
    shell.quit();
}
