//! `turso auth api-tokens`: tokens for the platform API, and for the CLI itself.

use serde_json::json;

use super::cli::Turso;

fn mint(turso: &Turso, arguments: &str) -> String {
    let token = turso.ok(&format!("auth api-tokens mint {arguments}"));
    assert_eq!(token.lines().count(), 1, "{token}");
    token.trim().to_owned()
}

/// Answers yes to the question whether to revoke.
fn revoke(turso: &Turso, name: &str) {
    let mut terminal = turso.interactive(&format!("auth api-tokens revoke {name}"));
    terminal.see("Are you sure you want to revoke this token? [y/n]:");
    terminal.press("y\r");
    let (screen, code) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&format!("API token {name} successfully revoked.")), "{screen}");
}

#[test]
fn mint_use_list_revoke() {
    let mut turso = Turso::start();
    let token = mint(&turso, "robot");
    let listed = turso.table("auth api-tokens list");
    assert_eq!(listed[0], ["NAME", "SCOPE", "PERMISSIONS", "CREATED AT"]);
    let row = listed.iter().find(|row| row[0] == "robot").unwrap();
    assert_eq!(row[1..3], ["all", "—"]);
    assert!(row[3].starts_with("20"), "{row:?}");
    let told = turso.fails("auth api-tokens mint robot");
    assert!(told.contains("robot"), "{told}");

    let owner = turso.login(&token);
    assert_eq!(turso.ok("auth whoami"), "local\n");
    turso.ok("db create shop");
    turso.ok(r#"db shell shop "SELECT 1""#);

    turso.login(&owner);
    revoke(&turso, "robot");
    assert!(!turso.ok("auth api-tokens list").contains("robot"));
    let told = turso.ok("auth api-tokens revoke robot");
    assert!(told.contains("API token not found"), "{told}");
    turso.login(&token);
    let told = turso.fails("db list");
    assert!(told.contains("is invalid"), "{told}");
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let mut turso = Turso::start();
    let owner = turso.token.clone().unwrap();
    let token = mint(&turso, "robot");
    turso.token = Some(token.clone());
    turso.ok("db list");
    turso.token = Some(owner);
    revoke(&turso, "robot");
    // The CLI remembers that the token was good; the server does not.
    turso.token = Some(token);
    let told = turso.fails("db list");
    assert!(told.contains("failed to get database listing"), "{told}");
}

#[test]
fn no_is_an_answer() {
    let turso = Turso::start();
    mint(&turso, "robot");
    let mut terminal = turso.interactive("auth api-tokens revoke robot");
    terminal.see("[y/n]:");
    terminal.press("n\r");
    assert!(terminal.end().0.contains("Revocation skipped by the user."));
    assert!(turso.ok("auth api-tokens list").contains("robot"));
}

#[test]
fn tokens_for_some_things_in_one_group() {
    let mut turso = Turso::start();
    turso.ok("group create team --location local");
    turso.ok("db create inside --group team");
    turso.ok("db create outside --group default");
    let reads = mint(&turso, "reader --org local --group team --read-only");
    let all = mint(&turso, "deployer --org local --group team --full-access");
    let creates = mint(&turso, "creator --org local --group team --scope read --scope db:create");
    mint(&turso, "colleague --org local");
    let listed = turso.table("auth api-tokens list");
    let row = |name: &str| listed.iter().find(|row| row[0] == name).unwrap()[1..3].to_vec();
    assert_eq!(row("reader"), ["local/team", "read-only"]);
    assert_eq!(row("deployer"), ["local/team", "full-access"]);
    assert_eq!(row("creator"), ["local/team", "db:create, read"]);
    assert_eq!(row("colleague"), ["all", "—"]);

    turso.login(&reads);
    let list = turso.ok("db list");
    assert!(list.contains("inside") && !list.contains("outside"), "{list}");
    turso.fails("db create more --group team");
    turso.fails("db destroy inside --yes");
    turso.fails("db tokens create inside");
    turso.fails("auth api-tokens mint more");

    turso.login(&creates);
    turso.ok("db create more --group team");
    turso.fails("db destroy more --yes");
    turso.fails("db tokens create more");

    turso.login(&all);
    turso.ok(r#"db shell more "SELECT 1""#);
    turso.ok("db destroy more --yes");
    turso.fails("db create more --group default");
    turso.fails("group create another --location local");
    let told = turso.fails("db show outside");
    assert!(told.contains("not found"), "{told}");
}

#[test]
fn a_limited_token_makes_none_that_opens_more() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    turso.ok("db create inside --group team");
    turso.ok("db create beside --group team");
    turso.ok("db create outside --group default");
    let limited =
        mint(&turso, "minter --org local --group team --scope read --scope db:mint-token");
    let ask = |database: &str, attached: &str| {
        let path = format!("/v1/databases/{database}/auth/tokens");
        let body = json!({ "permissions": { "read_attach": { "databases": [attached] } } });
        turso.request("POST", &path, &limited, &body).status
    };
    assert_eq!(ask("inside", "beside"), 200);
    assert_eq!(ask("inside", "outside"), 404);
    assert_eq!(ask("outside", "outside"), 404);
    let group = turso.request("POST", "/v1/groups/team/auth/tokens", &limited, &json!({}));
    assert_eq!(group.status, 401, "{group:?}");
    let api = turso.request("POST", "/v2/auth/api-tokens/more", &limited, &json!({}));
    assert_eq!(api.status, 401, "{api:?}");
}
