//! `hranad db`: list, create, delete, restore and check databases.

use super::{Owner, say, table};
use crate::catalog::{Filter, GroupName, NamespaceName, Record, Role};
use crate::config::{DbArgs, DbCommand, TypeArg};
use crate::error::{Error, Result};
use crate::namespace::{NewDatabase, Seed};

pub fn db(args: &DbArgs) -> Result<()> {
    let owner = Owner::open(&args.data.data_dir)?;
    match &args.command {
        DbCommand::List { group } => list(&owner, group.as_deref())?,
        DbCommand::Create { name, group, kind, schema } => {
            let name = NamespaceName::parse(name)?;
            create(&owner, name, group.as_deref(), *kind, schema.as_deref())?;
        }
        DbCommand::Delete { name } => {
            owner.namespaces.delete(&NamespaceName::parse(name)?)?;
            say(&format!("deleted database {name}; `hranad db restore {name}` gives it back"));
        }
        DbCommand::Restore { name } => {
            owner.namespaces.restore(&NamespaceName::parse(name)?)?;
            say(&format!("restored database {name}"));
        }
        DbCommand::Check { name } => check(&owner, name.as_deref())?,
    }
    Ok(())
}

fn create(
    owner: &Owner,
    name: NamespaceName,
    group: Option<&str>,
    kind: Option<TypeArg>,
    schema: Option<&str>,
) -> Result<()> {
    let schema = match schema {
        Some(name) => Some(owner.schema(&NamespaceName::parse(name)?)?),
        None => None,
    };
    let group = match (group, &schema) {
        (Some(group), _) => GroupName::parse(group)?,
        (None, Some(schema)) => schema.group.name.clone(),
        (None, None) => GroupName::default_name(),
    };
    let is_schema = kind == Some(TypeArg::Schema);
    let seed = schema.map_or(Seed::Empty, |schema| Seed::Copy(Box::new(schema)));
    let new = NewDatabase { is_schema, seed, ..NewDatabase::empty(name, group) };
    let record = owner.namespaces.create(new)?;
    let (name, group) = (&record.name, &record.group.name);
    say(&match &record.role {
        Role::Plain => format!("created database {name} in group {group}"),
        Role::Schema => format!("created schema database {name} in group {group}"),
        Role::Child(schema) => {
            format!("created database {name} in group {group}, a child of {}", schema.name)
        }
    });
    Ok(())
}

fn list(owner: &Owner, group: Option<&str>) -> Result<()> {
    let filter = match group {
        Some(name) => {
            Filter { group: Some(owner.group(name)?.name.to_string()), ..Filter::default() }
        }
        None => Filter::default(),
    };
    let mut rows = vec![["NAME", "GROUP", "ID", "BYTES", "ROLE"].map(str::to_owned).to_vec()];
    for record in owner.catalog.databases(&filter)? {
        let size = owner.namespaces.storage_bytes(record.id);
        rows.push(vec![
            record.name.to_string(),
            record.group.name.to_string(),
            record.id.to_string(),
            size.to_string(),
            match &record.role {
                Role::Plain => String::new(),
                Role::Schema => "schema".to_owned(),
                Role::Child(schema) => format!("child of {}", schema.name),
            },
        ]);
    }
    table(&rows);
    Ok(())
}

/// Checks one database or all of them, and fails if one is not sound.
fn check(owner: &Owner, name: Option<&str>) -> Result<()> {
    let records: Vec<Record> = match name {
        Some(name) => vec![owner.namespaces.find(&NamespaceName::parse(name)?)?],
        None => owner.catalog.databases(&Filter::default())?,
    };
    let mut broken = 0;
    for record in &records {
        if record.awaits_upload {
            say(&format!("{}: awaits the upload of its file", record.name));
            continue;
        }
        let problems = match owner.namespaces.check_file(record.id) {
            Ok(problems) => problems,
            Err(error) => vec![error.to_string()],
        };
        match problems.as_slice() {
            [] => say(&format!("{}: sound", record.name)),
            problems => {
                broken += 1;
                for problem in problems {
                    say(&format!("{}: {problem}", record.name));
                }
            }
        }
    }
    match broken {
        0 => Ok(()),
        _ => Err(Error::bad_request(format!(
            "{broken} of {} databases are not sound",
            records.len()
        ))),
    }
}
