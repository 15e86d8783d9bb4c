//! `hranad token`: mint, list and revoke.

use uuid::Uuid;

use super::{Owner, say, table};
use crate::auth::{ApiToken, Authority, Grant, Scopes, parse_expiration};
use crate::catalog::{self, ApiTokenRecord, NamespaceName};
use crate::config::{MintArgs, RevokeArgs, TokenArgs, TokenCommand};
use crate::error::{Error, ErrorKind, Result};

pub fn token(args: &TokenArgs) -> Result<()> {
    let owner = Owner::open(&args.data.data_dir)?;
    match &args.command {
        TokenCommand::Mint(MintArgs { api: Some(name), scope, in_group, .. }) => {
            say(&mint_for_api(&owner, name, scope, in_group.as_deref())?);
        }
        TokenCommand::Mint(args) => say(&mint(&owner, args)?),
        TokenCommand::List => list(&owner)?,
        TokenCommand::Revoke(args) => revoke(&owner, args)?,
    }
    Ok(())
}

fn mint_for_api(
    owner: &Owner,
    name: &str,
    scopes: &[String],
    group: Option<&str>,
) -> Result<String> {
    let scopes = match scopes {
        [] => None,
        names => Some(Scopes::parse(names.iter().map(String::as_str))?.names().join(" ")),
    };
    let group = match group {
        Some(name) => Some(owner.group(name)?).map(|group| (group.id, group.name.to_string())),
        None => None,
    };
    let created_at = i64::try_from(catalog::now()).unwrap_or(i64::MAX);
    let record =
        ApiTokenRecord { id: Uuid::new_v4(), name: name.to_owned(), scopes, group, created_at };
    let token = ApiToken::mint()?;
    owner.catalog.create_api_token(&record, &ApiToken::hash(&token))?;
    Ok(token)
}

fn mint(owner: &Owner, args: &MintArgs) -> Result<String> {
    let database = match &args.database {
        Some(name) => Some(owner.namespaces.find(&NamespaceName::parse(name)?)?),
        None => None,
    };
    let group = match &database {
        Some(record) => record.group.clone(),
        None => owner.group(args.group.as_deref().unwrap_or_default())?,
    };
    let issued_at = catalog::now();
    let lasts = parse_expiration(&args.expiration)?;
    Authority::new(&owner.data_dir.signing_key()?)?.mint(&Grant {
        group: group.id,
        group_generation: group.generation,
        database: database.map(|record| (record.id, record.generation)),
        write: !args.read_only,
        child_ddl: false,
        tables: None,
        attach: Vec::new(),
        issued_at,
        expires_at: lasts.map(|lasts| issued_at.saturating_add(lasts.as_secs())),
    })
}

fn list(owner: &Owner) -> Result<()> {
    let mut rows = vec![["NAME", "GROUP", "SCOPES"].map(str::to_owned).to_vec()];
    for token in owner.catalog.api_tokens()? {
        let group = token.group.map_or_else(|| "all".to_owned(), |(_, name)| name);
        rows.push(vec![token.name, group, token.scopes.unwrap_or_else(|| "all".to_owned())]);
    }
    table(&rows);
    Ok(())
}

fn revoke(owner: &Owner, args: &RevokeArgs) -> Result<()> {
    if let Some(name) = &args.database {
        let record = owner.namespaces.find(&NamespaceName::parse(name)?)?;
        owner.namespaces.rotate(&record)?;
        say(&format!("all tokens of database {name} are invalid now"));
    } else if let Some(name) = &args.group {
        owner.namespaces.rotate_group(owner.group(name)?.id)?;
        say(&format!("all tokens of group {name} and its databases are invalid now"));
    } else if let Some(name) = &args.name {
        if !owner.catalog.revoke_api_token(name)? {
            let message = format!("there is no api token {name:?}; see `hranad token list`");
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        say(&format!("the api token {name} is invalid now"));
    }
    Ok(())
}
