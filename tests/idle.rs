//! Databases that nobody uses are closed, and opened again when somebody does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hranad::auth::Access;
use hranad::catalog::{Catalog, GroupName, NamespaceName};
use hranad::namespace::{Namespaces, NewDatabase};
use hranad::sqlite::{Engine, SavedSession, Tenancy};

static ANYBODY: Tenancy = Tenancy { owner: 0, access: Access::FULL, session: SavedSession::NEW };

fn open(directory: &Path, connections: usize) -> Namespaces {
    let second = Duration::from_secs(1);
    let catalog = Arc::new(Catalog::open(directory).unwrap());
    let engine = Arc::new(Engine::new(2, connections, 1, second, second));
    Namespaces::open(directory, catalog, engine, Duration::ZERO).unwrap()
}

/// Files that are there only while a database is open.
fn open_files(directory: &Path) -> usize {
    let files = std::fs::read_dir(directory.join("databases")).unwrap();
    files.filter(|f| f.as_ref().unwrap().file_name().to_str().unwrap().ends_with("-wal")).count()
}

#[test]
fn an_unused_database_is_closed_and_one_in_use_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let namespaces = open(directory.path(), 10);
    let name = NamespaceName::default_name();
    let namespace = namespaces.get(&name).unwrap();
    let lease = namespaces.connect(&namespace, &ANYBODY).unwrap();
    namespaces.sweep(Duration::ZERO);
    assert_eq!(open_files(directory.path()), 1);
    drop(lease);
    drop(namespace);
    namespaces.sweep(Duration::from_secs(60));
    assert_eq!(open_files(directory.path()), 1, "it has rested for less than a minute");
    namespaces.sweep(Duration::ZERO);
    assert_eq!(open_files(directory.path()), 0);
    let namespace = namespaces.get(&name).unwrap();
    assert!(namespaces.connect(&namespace, &ANYBODY).is_ok());
}

#[test]
fn where_there_is_no_room_unused_ones_make_it() {
    let directory = tempfile::tempdir().unwrap();
    let namespaces = open(directory.path(), 3);
    for number in 0..12 {
        let name = NamespaceName::parse(&format!("tenant-{number}")).unwrap();
        namespaces.create(NewDatabase::empty(name.clone(), GroupName::default_name())).unwrap();
        let namespace = namespaces.get(&name).unwrap();
        drop(namespaces.connect(&namespace, &ANYBODY).unwrap());
        assert!(open_files(directory.path()) <= 3);
    }
    // All in use: then, and only then, somebody is told to come back later.
    let namespace = namespaces.get(&NamespaceName::default_name()).unwrap();
    let leases: Vec<_> =
        (0..3).map(|_| namespaces.connect(&namespace, &ANYBODY).unwrap()).collect();
    let error = namespaces.connect(&namespace, &ANYBODY).err().unwrap();
    assert_eq!(error.kind().code(), "OVERLOADED");
    drop(leases);
}
