//! The commands of the workshop's text in their order, as far as they are about plain databases. Without a
//! schema database, each workspace gets its tables by itself.

use super::cli::Turso;

const TABLES: &str = include_str!("../workshop/schema.sql");
const DIRECT_MESSAGES: &str = include_str!("../workshop/direct_messages.sql");

#[test]
fn a_database_per_workspace() {
    let turso = Turso::start();
    for workspace in ["workspace1-slack", "workspace2-slack"] {
        turso.ok(&format!("db create {workspace}"));
        let mut shell = turso.shell(workspace);
        assert_eq!(shell.answer(TABLES), "");
        shell.quit();
    }
    let schema = turso.ok(r#"db shell workspace1-slack ".schema""#);
    for table in ["users", "channels", "messages"] {
        assert!(schema.contains(&format!("CREATE TABLE {table} (")), "{schema}");
    }

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

    let mut shell = turso.shell("workspace2-slack");
    for table in ["users", "channels", "messages"] {
        let rows = shell.answer(&format!("SELECT * FROM {table};"));
        assert_eq!(rows.lines().count(), 1, "only the names of the columns: {rows}");
    }
    shell.quit();

    // By the URL that is printed.
    for workspace in ["workspace1-slack", "workspace2-slack"] {
        let url = turso.ok(&format!("db show {workspace} --http-url"));
        let mut shell = turso.shell(url.trim());
        assert_eq!(shell.answer(DIRECT_MESSAGES), "");
        shell.quit();
        let schema = turso.ok(&format!(r#"db shell {workspace} ".schema""#));
        assert!(schema.contains("CREATE TABLE direct_messages ("), "{schema}");
    }

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
    let none = turso.table(r#"db shell workspace2-slack "SELECT * FROM direct_messages""#);
    assert_eq!(none.len(), 1, "{none:?}");
}

#[test]
fn a_database_per_user() {
    let mut turso = Turso::start();
    turso.ok("db create todos");
    let mut shell = turso.shell("todos");
    shell.answer(
        "CREATE TABLE todos (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    description TEXT\n);",
    );
    let schema = shell.answer(".schema");
    assert!(schema.starts_with("CREATE TABLE todos ("), "{schema}");
    shell.quit();

    let platform_token = turso.ok("auth api-tokens mint a-memorable-name");
    let group_token = turso.ok("group tokens create default");
    let organization = turso.ok("auth whoami");

    // What the application of the workshop does with these three, for each of its users.
    let path = format!("/v1/organizations/{}/databases", organization.trim());
    let body = serde_json::json!({
        "name": "user-1", "group": "default", "seed": { "type": "database", "name": "todos" }
    });
    turso.login(platform_token.trim());
    let created = turso.request("POST", &path, platform_token.trim(), &body);
    assert_eq!(created.status, 200, "{created:?}");
    let insert = "INSERT INTO todos (description) VALUES ('see the workshop')";
    turso.query(group_token.trim(), "user-1", insert).unwrap();

    assert!(turso.ok("db list").contains("user-1"));
    let mut shell = turso.shell("user-1");
    assert!(shell.answer("select * from todos;").contains("see the workshop"));
    shell.quit();
    assert_eq!(turso.table(r#"db shell todos "select * from todos""#).len(), 1);
}
