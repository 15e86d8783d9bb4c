//! `turso org`, `turso plan` and `turso db locations`: all there is, and no limits.

use std::fs;

use serde_json::json;

use super::cli::Turso;

#[test]
fn there_is_one_organization_and_it_is_selected() {
    let turso = Turso::start();
    let list = [["NAME", "SLUG"], ["local", "local (current)"]];
    assert_eq!(turso.table("org list"), list);
    assert_eq!(turso.ok("org switch local"), "Organization local already selected\n");
    let told = turso.fails("org switch elsewhere");
    assert!(told.contains("elsewhere"), "{told}");
}

#[test]
fn the_owner_names_the_organization() {
    let turso = Turso::start_with(&["--org", "acme"]);
    assert_eq!(turso.ok("auth whoami"), "acme\n");
    assert_eq!(turso.table("org list")[1], ["acme", "acme (current)"]);
    turso.ok("db create shop");
    let owner = turso.token.clone().unwrap();
    let shown = turso.request("GET", "/v1/organizations/acme/databases/shop", &owner, &json!(null));
    assert_eq!(shown.body["database"]["Name"], "shop", "{shown:?}");
}

#[test]
fn commands_work_in_a_selected_organization() {
    let turso = Turso::start();
    fs::write(turso.settings(), json!({ "organization": "local" }).to_string()).unwrap();
    turso.ok("group create team --location local");
    turso.ok("db create shop --group team");
    turso.ok(r#"db shell shop "CREATE TABLE t (a)""#);
    assert_eq!(turso.table("db list --group team")[1][0], "shop");
    assert!(turso.ok("db show shop").contains("Group:              team\n"));
    turso.ok("db config delete-protection disable shop");
    turso.ok("group tokens create team");
    assert!(turso.ok("plan show").starts_with("Organization: local\n"));
    turso.ok("db destroy shop --yes");
    turso.ok("group destroy team --yes");
    // The CLI would have forgotten the organization if it had been told that the user is no member.
    let settings = fs::read_to_string(turso.settings()).unwrap();
    assert!(settings.contains(r#""organization": "local""#), "{settings}");
}

#[test]
fn the_plan_shows_what_is_used_of_what_is_not_limited() {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok("group create team --location local");
    turso.ok(r#"db shell shop "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)""#);
    let plan = turso.table("plan show");
    let used = |resource: &str| {
        let row = plan.iter().find(|row| row[0] == resource).unwrap_or_else(|| panic!("{plan:?}"));
        assert_eq!(row[2], "Unlimited");
        row[1].clone()
    };
    let databases = turso.table("db list").len() - 1;
    assert_eq!(used("databases"), databases.to_string());
    assert_eq!(used("groups"), "2");
    assert_eq!(used("rows written"), "3");
    assert_ne!(used("storage"), "0 B");
}

#[test]
fn the_one_location_is_here() {
    let turso = Turso::start();
    // Else the CLI asks a server of Turso which location is the closest, and gives up without an answer.
    let closest = json!({ "data": "local", "expiration": 32_503_680_000_i64 });
    let settings = json!({ "cache": { "closestlocation": closest } });
    fs::write(turso.settings(), settings.to_string()).unwrap();
    let locations = turso.table("db locations");
    assert_eq!(locations.len(), 2, "{locations:?}");
    assert_eq!(
        (locations[1][0].as_str(), locations[1].last().unwrap().as_str()),
        ("local", "[default]")
    );
}

#[test]
fn there_is_nobody_else_and_nothing_to_pay() {
    let turso = Turso::start();
    let members = turso.table("org members list");
    assert_eq!((members.len(), members[1][0].as_str()), (2, "local"), "{members:?}");
    assert!(turso.ok("org invoice list").contains("No invoices found"));
    for alone in [
        "org create more",
        "org destroy local",
        "org members add somebody",
        "org members rm somebody",
        "org invites create somebody@example.com",
        "org invoice info",
    ] {
        let told = turso.fails(alone);
        assert!(told.contains("this server has one organization"), "{alone}: {told}");
    }
}
