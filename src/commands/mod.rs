//! The owner's commands. They work on the data directory itself, whether its server runs or not: a running one
//! takes their changes over within a second.

mod db;
mod import_sqld;
mod jobs;
mod key;
mod schema;
mod token;
mod verify;
mod watch;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::{Catalog, Group, GroupName, NamespaceName, Record};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::limits;
use crate::namespace::{Namespaces, group_not_found};
use crate::sqlite::Engine;

pub use self::db::db;
pub use self::import_sqld::import_sqld;
pub use self::jobs::jobs;
pub use self::key::key;
pub use self::schema::schema;
pub use self::token::token;

/// What the commands work on.
struct Owner {
    data_dir: DataDir,
    catalog: Arc<Catalog>,
    namespaces: Namespaces,
}

impl Owner {
    fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Err(Error::bad_request(format!(
                "there is no data directory {}; name it with --data-dir, or start a server first",
                path.display()
            )));
        }
        Self::open_or_create(path)
    }

    /// The same where the command may be the first to use the directory.
    fn open_or_create(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            // Made as a server makes it.
            drop(DataDir::open(path)?);
        }
        let data_dir = DataDir::open_shared(path)?;
        let catalog = Arc::new(Catalog::open(data_dir.path())?);
        let engine = Engine::new(1, 1, 1, limits::BUSY_WAIT, limits::OWN_STATEMENT);
        // Files of deleted databases are the server's to remove: it knows for how long they are kept.
        let namespaces = Namespaces::open(
            data_dir.path(),
            Arc::clone(&catalog),
            Arc::new(engine),
            Duration::MAX,
        )?;
        Ok(Owner { data_dir, catalog, namespaces })
    }

    /// A schema database.
    fn schema(&self, name: &NamespaceName) -> Result<Record> {
        let record = self.namespaces.find(name)?;
        match record.role.is_schema() {
            true => Ok(record),
            false => Err(Error::bad_request(format!(
                "{name} is not a schema database; see `hranad schema list`"
            ))),
        }
    }

    fn group(&self, name: &str) -> Result<Group> {
        let name = GroupName::parse(name)?;
        self.catalog.group(&name)?.ok_or_else(|| group_not_found(&name))
    }
}

/// Prints a line, and does not mind if nobody reads.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints rows in columns as wide as they need, the first row above the others.
fn table(rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
