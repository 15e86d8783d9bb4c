//! `turso db config` and `turso group config`: what is switched on and off.

use super::cli::Turso;

#[test]
fn a_protected_database_is_not_destroyed() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let show = || turso.ok("db config delete-protection show shop");
    assert_eq!(show(), "Delete Protection off\n");
    turso.ok("db config delete-protection enable shop");
    assert_eq!(show(), "Delete Protection on\n");
    assert!(turso.ok("db show shop").contains("Delete Protection:  Yes\n"));
    let told = turso.fails("db destroy shop --yes");
    assert!(told.contains("failed to delete database") && told.contains("protect"), "{told}");
    turso.ok(r#"db shell shop "SELECT 1""#);
    turso.ok("db config delete-protection disable shop");
    assert_eq!(show(), "Delete Protection off\n");
    turso.ok("db destroy shop --yes");
    assert!(!turso.ok("db list").contains("shop"));
}

#[test]
fn a_protected_group_is_not_destroyed() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    turso.ok("db create shop --group team");
    let show = || turso.ok("group config delete-protection show team");
    assert_eq!(show(), "Delete Protection off\n");
    turso.ok("group config delete-protection enable team");
    assert_eq!(show(), "Delete Protection on\n");
    assert!(turso.ok("group show team").contains("Delete Protection: Yes"));
    let told = turso.fails("group destroy team --yes");
    assert!(told.contains("failed to delete group") && told.contains("protect"), "{told}");
    turso.ok(r#"db shell shop "SELECT 1""#);
    turso.ok("group config delete-protection disable team");
    turso.ok("group destroy team --yes");
    assert!(!turso.ok("group list").contains("team"));
}

#[test]
fn attaching_is_allowed_and_disallowed() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let show = || turso.ok("db config attach show shop");
    assert!(show().ends_with("Attach not allowed\n"));
    turso.ok("db config attach allow shop");
    assert!(show().ends_with("Attach allowed\n"));
    // One setting does not change the other.
    turso.ok("db config delete-protection enable shop");
    assert!(show().ends_with("Attach allowed\n"));
    turso.ok("db config attach disallow shop");
    assert!(show().ends_with("Attach not allowed\n"));
    assert!(turso.ok("db show shop").contains("Delete Protection:  Yes\n"));
}

#[test]
fn there_are_no_rules_for_addresses() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let told = turso.ok("db config allow-rules show shop");
    assert!(told.contains("connections from any source are accepted"), "{told}");
}
