//! What is known of a database.

use uuid::Uuid;

use super::groups::Group;
use super::name::NamespaceName;

/// What the catalog knows of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Stable, and never used again: a database created anew under the same name has another.
    pub id: Uuid,
    pub name: NamespaceName,
    pub group: Group,
    /// What it was copied from, if that still exists.
    pub parent: Option<Parent>,
    /// How often its own tokens were made invalid, plus one.
    pub generation: u64,
    pub settings: Settings,
    pub role: Role,
    /// The last migration job that it has taken over; 0 for none.
    pub schema_version: i64,
    /// Whether there are keys of others for this database alone.
    pub has_own_keys: bool,
    /// There is no file yet, and the database is there for nothing but its upload.
    pub awaits_upload: bool,
    /// In seconds since 1970.
    pub created_at: i64,
}

/// What a database is to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Plain,
    /// Says what its children look like.
    Schema,
    /// Looks as its schema database says.
    Child(SchemaRef),
}

/// The schema database of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRef {
    pub id: Uuid,
    pub name: String,
}

impl Role {
    pub fn is_schema(&self) -> bool {
        *self == Role::Schema
    }

    /// The schema database of a child.
    pub fn schema(&self) -> Option<&SchemaRef> {
        match self {
            Role::Child(schema) => Some(schema),
            Role::Plain | Role::Schema => None,
        }
    }
}

/// The database that another one was copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub id: Uuid,
    pub name: String,
}

/// What an owner can set of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub block_reads: bool,
    pub block_writes: bool,
    /// Told to those who are blocked.
    pub block_reason: Option<String>,
    /// In bytes.
    pub size_limit: Option<u64>,
    pub allow_attach: bool,
    pub delete_protection: bool,
    /// Of a schema database: its children are locked one by one, and those not in use are migrated later.
    pub is_rolling: bool,
    /// Of a schema database: how many children are migrated before all others.
    pub canaries: u64,
}

/// Which databases to list; `Default` is all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub group: Option<String>,
    /// Only those of the group with this id.
    pub only_group: Option<Uuid>,
    /// The id of what they were copied from.
    pub parent: Option<String>,
    /// The name of their schema database.
    pub schema: Option<String>,
    /// Names after this one.
    pub after: String,
    pub limit: Option<usize>,
}
