//! `hranad schema`: schema databases, and how their migrations run.

use super::verify::verify;
use super::{Owner, say, table};
use crate::catalog::{Filter, NamespaceName, Settings};
use crate::config::{ModeArg, SchemaArgs, SchemaCommand};
use crate::error::{Error, Result};

pub fn schema(args: &SchemaArgs) -> Result<()> {
    let owner = Owner::open(&args.data.data_dir)?;
    match &args.command {
        SchemaCommand::List => list(&owner),
        SchemaCommand::Verify { name } => verify(&owner, &NamespaceName::parse(name)?),
        SchemaCommand::Configure { name, mode, canaries } => {
            configure(&owner, &NamespaceName::parse(name)?, *mode, *canaries)
        }
    }
}

fn list(owner: &Owner) -> Result<()> {
    let head = ["NAME", "GROUP", "VERSION", "MODE", "CANARIES", "CHILDREN", "BEHIND"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let all = owner.catalog.databases(&Filter::default())?;
    for schema in all.iter().filter(|record| record.role.is_schema()) {
        let is_child = |id| id == Some(schema.id);
        let children = all.iter().filter(|other| is_child(other.role.schema().map(|s| s.id)));
        let versions: Vec<_> = children.map(|child| child.schema_version).collect();
        let behind = versions.iter().filter(|version| **version < schema.schema_version).count();
        rows.push(vec![
            schema.name.to_string(),
            schema.group.name.to_string(),
            schema.schema_version.to_string(),
            mode_name(&schema.settings).to_owned(),
            schema.settings.canaries.to_string(),
            versions.len().to_string(),
            behind.to_string(),
        ]);
    }
    table(&rows);
    Ok(())
}

fn configure(
    owner: &Owner,
    name: &NamespaceName,
    mode: Option<ModeArg>,
    canaries: Option<u64>,
) -> Result<()> {
    if mode.is_none() && canaries.is_none() {
        return Err(Error::bad_request("nothing to set; give --mode or --canaries"));
    }
    let record = owner.schema(name)?;
    let mut settings = record.settings.clone();
    if let Some(mode) = mode {
        settings.is_rolling = mode == ModeArg::Rolling;
    }
    settings.canaries = canaries.unwrap_or(settings.canaries);
    owner.namespaces.configure(&record, &settings)?;
    let (mode, canaries) = (mode_name(&settings), settings.canaries);
    say(&format!("migrations of {name} from now on: mode {mode}, {canaries} canaries"));
    Ok(())
}

fn mode_name(settings: &Settings) -> &'static str {
    if settings.is_rolling { "rolling" } else { "locked" }
}
