//! `turso group`: databases that share their tokens.

use super::cli::Turso;

#[test]
fn create_list_show_destroy() {
    let turso = Turso::start();
    let listed = turso.table("group list");
    assert_eq!(listed[0], ["NAME", "LOCATIONS", "VERSION", "STATUS"]);
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(listed[1][..2], ["default", "local (primary)"]);
    assert_eq!(listed[1][3], "Healthy");

    let created = turso.ok("group create team --location local --wait");
    assert!(created.contains("Created group team at local in "), "{created}");
    let shown = turso.ok("group show team");
    assert!(shown.contains("Locations:         local (primary)\n"), "{shown}");
    assert!(shown.contains("Status:            Healthy\n"), "{shown}");
    assert_eq!(turso.table("group list").len(), 3);
    assert!(turso.ok("group locations list team").ends_with("local (primary)\n"));

    let told = turso.fails("group create team --location local");
    assert!(told.contains("team"), "{told}");
    let told = turso.fails("group create Te/am --location local");
    assert!(told.contains("name"), "{told}");

    let destroyed = turso.ok("group destroy team --yes");
    assert!(destroyed.contains("Destroyed group team in "), "{destroyed}");
    assert_eq!(turso.table("group list").len(), 2);
    let told = turso.fails("group destroy team --yes");
    assert!(told.contains("group team not found"), "{told}");
}

#[test]
fn without_a_location_a_group_is_here() {
    let turso = Turso::start();
    // The CLI cannot ask which location is the closest, and takes one far away.
    turso.ok("group create team --wait");
    assert!(turso.ok("group show team").contains("local (primary)"));
    turso.ok("db create shop --group team");
}

#[test]
fn databases_live_in_one_group() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    let told = turso.fails("db create shop");
    assert!(told.contains("you have more than one database group"), "{told}");
    turso.ok("db create shop --group team");
    turso.ok("db create other --group default");
    let inside = turso.table("db list --group team");
    assert_eq!(inside.len(), 2, "{inside:?}");
    assert_eq!((inside[1][0].as_str(), inside[1][2].as_str()), ("shop", "team"));
    assert!(turso.ok("db show shop").contains("Group:              team\n"));
    let told = turso.fails("db create shop --group default");
    assert!(told.contains("database with name shop already exists"), "{told}");
}

#[test]
fn a_destroyed_group_takes_its_databases_along() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    turso.ok("db create shop --group team");
    turso.ok("db create other --group default");
    let token = turso.ok("group tokens create team");
    let mut terminal = turso.interactive("group destroy team");
    terminal.see("Group team, all its replicas and databases will be destroyed.");
    terminal.see("[y/n]:");
    terminal.press("y\r");
    let (screen, code) = terminal.end();
    assert!(code == 0 && screen.contains("Destroyed group team"), "{screen}");
    let listed = turso.ok("db list");
    assert!(!listed.contains("shop") && listed.contains("other"), "{listed}");
    assert!(turso.query(token.trim(), "shop", "SELECT 1").is_err());
    // Neither the token nor the data come back with the name.
    turso.ok("group create team --location local");
    turso.ok("db create shop --group team");
    assert!(turso.query(token.trim(), "shop", "SELECT 1").is_err());
}

#[test]
fn group_tokens_open_the_group_until_they_are_invalidated() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    turso.ok("db create shop --group team");
    turso.ok("db create outside --group default");
    turso.ok(r#"db shell shop "CREATE TABLE t (a)""#);
    let create = |arguments: &str| {
        turso.ok(&format!("group tokens create team {arguments}")).trim().to_owned()
    };
    let (full, read_only) = (create(""), create("--read-only --expiration 7d"));
    let reads_t = create("-p t:data_read");
    let of_database = turso.ok("db tokens create shop");
    turso.ok("db create later --group team");
    for token in [&full, &read_only] {
        assert!(turso.query(token, "later", "SELECT 1").is_ok());
        assert!(turso.query(token, "outside", "SELECT 1").is_err());
    }
    turso.query(&full, "shop", "INSERT INTO t VALUES (1)").unwrap();
    assert!(turso.query(&read_only, "shop", "INSERT INTO t VALUES (2)").is_err());
    assert_eq!(turso.query(&reads_t, "shop", "SELECT a FROM t").unwrap(), [["1"]]);
    assert!(turso.query(&reads_t, "shop", "DELETE FROM t").is_err());

    let others = turso.ok("group tokens create default");
    let told = turso.ok("group tokens invalidate team --yes");
    assert!(told.contains("Success! Tokens invalidated successfully"), "{told}");
    for token in [&full, &read_only, &reads_t, of_database.trim()] {
        let refused = turso.query(token, "shop", "SELECT 1").unwrap_err();
        assert!(refused.starts_with("401"), "{refused}");
    }
    assert!(turso.query(others.trim(), "outside", "SELECT 1").is_ok());
    assert!(turso.query(&create(""), "shop", "SELECT 1").is_ok());
    turso.ok(r#"db shell shop "SELECT 1""#);
    let told = turso.fails("group tokens invalidate nowhere --yes");
    assert!(told.contains("group nowhere was not found"), "{told}");
}

#[test]
fn there_is_nothing_to_unarchive() {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok("group unarchive default");
    turso.ok("db unarchive shop");
}
