//! `hranad key`: keys of others, whose tokens are accepted.

use std::fs;

use uuid::Uuid;

use super::{Owner, say, table};
use crate::auth::VerifyingKey;
use crate::catalog::ForeignKeyRecord;
use crate::config::{KeyArgs, KeyCommand};
use crate::error::{Error, ErrorKind, Result};
use crate::fetch;
use crate::keys::add_from_url;

pub fn key(args: &KeyArgs) -> Result<()> {
    let owner = Owner::open(&args.data.data_dir)?;
    let id_of = |group: &Option<String>| match group {
        Some(name) => owner.group(name).map(|group| Some(group.id)),
        None => Ok(None),
    };
    match &args.command {
        KeyCommand::Add { name, source, group } => {
            let group = id_of(group)?;
            let count = match fetch::is_possible(source) {
                true => add_from_url(&owner.catalog, name, source, group)?,
                false => add_from_file(&owner, name, source, group)?,
            };
            say(&format!("tokens signed with {count} keys of {name} are accepted now"));
        }
        KeyCommand::List => {
            let mut rows = vec![["NAME", "FOR", "KEYS", "URL"].map(str::to_owned).to_vec()];
            let groups = owner.catalog.groups()?;
            for key in owner.catalog.foreign_keys()? {
                let group = groups.iter().find(|group| Some(group.id) == key.group);
                let of = match (group, key.database) {
                    (Some(group), _) => format!("group {}", group.name),
                    (None, Some(id)) => format!("database {id}"),
                    (None, None) => "all databases".to_owned(),
                };
                let count = VerifyingKey::parse(&key.text).map_or(0, |keys| keys.len());
                rows.push(vec![key.name, of, count.to_string(), key.url.unwrap_or_default()]);
            }
            table(&rows);
        }
        KeyCommand::Remove { name, group } => {
            if !owner.catalog.remove_foreign_key(name, id_of(group)?, None)? {
                let message = format!("there is no key {name:?} there; see `hranad key list`");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            say(&format!("tokens signed with keys of {name} are accepted no more"));
        }
    }
    Ok(())
}

/// How many keys are in the file.
fn add_from_file(owner: &Owner, name: &str, file: &str, group: Option<Uuid>) -> Result<usize> {
    let text = fs::read_to_string(file)
        .map_err(|error| Error::internal(format!("read the key file {file}"), error))?;
    let count = VerifyingKey::parse(&text)?.len();
    let name = name.to_owned();
    let key = ForeignKeyRecord { name, group, database: None, text, url: None };
    owner.catalog.save_foreign_key(&key)?;
    Ok(count)
}
