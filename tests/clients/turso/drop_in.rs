//! The CLI as it is installed, told nothing of this server: `api.turso.tech` and `*.turso.io` lead to it.

use super::cli::Turso;

#[test]
fn databases_have_the_names_that_turso_gives_them() {
    let turso = Turso::drop_in(&["--org", "acme"]);
    assert_eq!(turso.ok("auth whoami"), "acme\n");
    turso.ok("db create shop");
    assert_eq!(turso.ok("db show shop --url"), "libsql://shop-acme.turso.io\n");
    assert_eq!(turso.ok("db show shop --http-url"), "https://shop-acme.turso.io\n");
    let list = turso.table("db list");
    assert!(list.iter().any(|row| row.contains(&"libsql://shop-acme.turso.io".to_owned())));
    turso.ok("db shell shop \"CREATE TABLE items (name TEXT); INSERT INTO items VALUES ('tea')\"");
    // The CLI finds the token for a URL by itself where the name ends in `.turso.io`.
    for url in ["https://shop-acme.turso.io", "https://shop-acme.turso.io/"] {
        let items = turso.table(&format!(r#"db shell {url} "SELECT * FROM items""#));
        assert_eq!(items, [["NAME"], ["tea"]], "{url}");
    }
    let socket = turso.table(r#"db shell wss://shop-acme.turso.io "SELECT * FROM items""#);
    assert_eq!(socket, [["NAME"], ["tea"]]);
    let dump = turso.ok("db shell shop .dump");
    assert!(dump.contains("VALUES('tea')"), "{dump}");
    turso.ok("db export shop");
    turso.ok("db destroy shop --yes");
    assert!(turso.fails("db shell shop").contains("database shop not found"));
}

#[test]
fn a_shell_on_a_terminal_takes_the_url_that_is_shown() {
    let turso = Turso::drop_in(&["--org", "acme"]);
    turso.ok("db create slack-schema --type schema");
    turso.ok("db create workspace1-slack --schema slack-schema");
    let url = turso.ok("db show slack-schema --http-url");
    let mut shell = turso.shell(url.trim());
    assert_eq!(shell.answer("CREATE TABLE messages (content TEXT);"), "");
    shell.quit();
    let schema = turso.ok(r#"db shell workspace1-slack ".schema""#);
    assert!(schema.contains("CREATE TABLE messages"), "{schema}");
}

#[test]
fn tokens_open_what_they_are_for() {
    let turso = Turso::drop_in(&["--org", "acme"]);
    turso.ok("db create shop");
    turso.ok("db create other");
    let of_shop = turso.ok("db tokens create shop");
    let of_group = turso.ok("group tokens create default");
    let url = |name: &str, token: &str| {
        format!(r#"db shell https://{name}-acme.turso.io?authToken={} "SELECT 1""#, token.trim())
    };
    turso.ok(&url("shop", &of_shop));
    turso.ok(&url("other", &of_group));
    let told = turso.fails(&url("other", &of_shop));
    assert!(told.contains("could not find database"), "{told}");
}

/// `region.turso.io` would be asked with the token of the platform API.
#[test]
fn the_server_that_knows_what_is_near_is_this_one() {
    let turso = Turso::drop_in(&[]);
    assert!(turso.ok("db locations").contains("this server"));
    turso.ok("group create team");
    assert!(turso.ok("group list").contains("team"));
}
