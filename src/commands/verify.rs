//! `hranad schema verify`: whether children look as their schema database does.

use super::{Owner, say};
use crate::catalog::{Filter, NamespaceName, Record};
use crate::error::{Error, Result};
use crate::sqlite::Look;

/// Compares every child with its schema database, and fails if one differs.
pub(super) fn verify(owner: &Owner, name: &NamespaceName) -> Result<()> {
    let schema = owner.schema(name)?;
    let unfinished = owner.catalog.unfinished_jobs()?;
    if let Some(job) = unfinished.iter().find(|job| job.schema == schema.id) {
        return Err(Error::bad_request(format!(
            "migration job {} of {name} is running; see `hranad jobs watch {}`, and verify when it has ended",
            job.id, job.id
        )));
    }
    let wanted = owner.namespaces.look_at(&schema)?;
    let failed = owner.catalog.failed_children(schema.id)?;
    let filter = Filter { schema: Some(name.to_string()), ..Filter::default() };
    let children = owner.catalog.databases(&filter)?;
    let (mut differ, mut behind) = (0, 0);
    for child in &children {
        let problems = match owner.namespaces.look_at(child) {
            // What it was not used for since is not what it has lost.
            Ok(look) if look.version < wanted.version && !failed.contains(&child.id) => {
                behind += 1;
                let (has, of) = (look.version, wanted.version);
                say(&format!(
                    "{}: at version {has} of {of}; the rest comes when it is used",
                    child.name
                ));
                continue;
            }
            Ok(look) => differences(&look, &wanted),
            Err(error) => vec![error.to_string()],
        };
        if !problems.is_empty() {
            differ += 1;
        }
        for problem in problems {
            say(&format!("{}: {problem}", child.name));
        }
    }
    conclude(&schema, children.len(), behind, differ)
}

fn conclude(schema: &Record, children: usize, behind: usize, differ: usize) -> Result<()> {
    let same = children - behind - differ;
    let summary = format!(
        "{}: {same} of {children} children are the same, {behind} are behind, {differ} differ",
        schema.name
    );
    match differ {
        0 => {
            say(&summary);
            Ok(())
        }
        _ => Err(Error::bad_request(summary)),
    }
}

/// How a child differs, a line each.
fn differences(look: &Look, wanted: &Look) -> Vec<String> {
    let mut found = Vec::new();
    if look.version != wanted.version {
        found.push(format!(
            "is at version {}, its schema database at {}",
            look.version, wanted.version
        ));
    }
    for ((kind, name), sql) in &wanted.objects {
        match look.objects.get(&(kind.clone(), name.clone())) {
            None => found.push(format!("the {kind} {name} is missing")),
            Some(other) if other != sql => {
                found.push(format!(
                    "the {kind} {name} is different: {other}, where the schema database has {sql}"
                ));
            }
            Some(_) => {}
        }
    }
    for (kind, name) in look.objects.keys() {
        if !wanted.objects.contains_key(&(kind.clone(), name.clone())) {
            found.push(format!("the {kind} {name} is additional"));
        }
    }
    found
}
