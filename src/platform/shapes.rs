//! The JSON shapes of the platform API, in Turso's spelling.

use serde::Serialize;

use super::place::Place;
use crate::catalog::{Group, Record};

/// Where everything is.
pub(super) const LOCATION: &str = "local";

/// With this version the CLI lets the tokens of a single database be invalidated.
const VERSION: &str = "tech-preview";

/// A database.
#[derive(Serialize)]
pub(super) struct DatabaseBody {
    #[serde(rename = "Name")]
    name: String,
    /// Differs when a database is created anew under the same name: clients keep tokens by it.
    #[serde(rename = "DbId")]
    id: String,
    /// Host, port and path of the database; a client puts a scheme before it.
    #[serde(rename = "Hostname")]
    pub(super) hostname: String,
    block_reads: bool,
    block_writes: bool,
    allow_attach: bool,
    regions: [&'static str; 1],
    #[serde(rename = "primaryRegion")]
    primary_region: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    group: String,
    is_schema: bool,
    /// The name of its schema database, or nothing.
    schema: String,
    sleeping: bool,
    archived: bool,
    delete_protection: bool,
    parent: Option<ParentBody>,
}

/// What a database was copied from.
#[derive(Serialize)]
struct ParentBody {
    id: String,
    name: String,
    /// In seconds since 1970.
    branched_at: i64,
}

impl DatabaseBody {
    pub(super) fn new(record: &Record, place: &Place) -> Self {
        DatabaseBody {
            hostname: place.hostname(&record.name),
            name: record.name.to_string(),
            id: record.id.to_string(),
            block_reads: record.settings.block_reads,
            block_writes: record.settings.block_writes,
            allow_attach: record.settings.allow_attach,
            regions: [place.region()],
            primary_region: place.region(),
            kind: "logical",
            version: VERSION,
            group: record.group.name.to_string(),
            is_schema: record.role.is_schema(),
            schema: record.role.schema().map_or_else(String::new, |schema| schema.name.clone()),
            sleeping: false,
            archived: false,
            delete_protection: record.settings.delete_protection,
            parent: record.parent.as_ref().map(|parent| ParentBody {
                id: parent.id.to_string(),
                name: parent.name.clone(),
                branched_at: record.created_at,
            }),
        }
    }
}

/// A group.
#[derive(Serialize)]
pub(super) struct GroupBody {
    name: String,
    uuid: String,
    version: &'static str,
    locations: [&'static str; 1],
    primary: &'static str,
    archived: bool,
    delete_protection: bool,
}

impl GroupBody {
    pub(super) fn new(group: &Group) -> Self {
        GroupBody {
            name: group.name.to_string(),
            uuid: group.id.to_string(),
            version: VERSION,
            locations: [LOCATION],
            primary: LOCATION,
            archived: false,
            delete_protection: group.delete_protection,
        }
    }
}

/// One database, after it was created or asked for.
#[derive(Serialize)]
pub(super) struct OneBody {
    pub(super) database: DatabaseBody,
}

#[derive(Serialize)]
pub(super) struct ListBody {
    pub(super) databases: Vec<DatabaseBody>,
    pub(super) pagination: Pagination,
}

#[derive(Serialize)]
pub(super) struct Pagination {
    /// The `cursor` of the next page, if there is one.
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
pub(super) struct DeletedBody {
    pub(super) database: String,
}
