//! Tokens of the platform API, known by their hashes only.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Catalog, failed, is_duplicate, read_id};
use crate::error::{Error, ErrorKind, Result};

/// What the catalog knows of a platform API token.
#[derive(Clone, Debug)]
pub struct ApiTokenRecord {
    pub id: Uuid,
    pub name: String,
    /// What it may do, as `auth::Scopes` writes it; everything if there is none.
    pub scopes: Option<String>,
    /// The only group that it may see, if there is one.
    pub group: Option<(Uuid, String)>,
    /// In seconds since 1970.
    pub created_at: i64,
}

const SELECT: &str = "SELECT t.id, t.name, t.scopes, t.created_at, g.id, g.name
                      FROM api_tokens t LEFT JOIN groups g ON g.id = t.group_id";

impl Catalog {
    /// The token with this SHA-256 hash.
    pub fn api_token(&self, hash: &[u8; 32]) -> Result<Option<ApiTokenRecord>> {
        let sql = format!("{SELECT} WHERE t.hash = ?");
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("look a token up"))?;
        statement.query_row([hash], read_token).optional().map_err(failed("look a token up"))
    }

    /// All tokens in the order of their names.
    pub fn api_tokens(&self) -> Result<Vec<ApiTokenRecord>> {
        let sql = format!("{SELECT} ORDER BY t.name");
        let db = self.lock();
        let mut statement = db.prepare(&sql).map_err(failed("list the tokens"))?;
        let tokens = statement.query_map([], read_token);
        tokens.and_then(Iterator::collect).map_err(failed("list the tokens"))
    }

    /// Adds a token.
    pub fn create_api_token(&self, token: &ApiTokenRecord, hash: &[u8; 32]) -> Result<()> {
        let sql = "INSERT INTO api_tokens (id, name, hash, scopes, group_id, created_at)
                   VALUES (?, ?, ?, ?, ?, ?)";
        let group = token.group.as_ref().map(|(id, _)| id.to_string());
        let values =
            params![token.id.to_string(), token.name, hash, token.scopes, group, token.created_at];
        match self.lock().execute(sql, values) {
            Ok(_) => Ok(()),
            Err(error) if is_duplicate(&error) => Err(Error::new(
                ErrorKind::TokenExists,
                format!("api token with name {} already exists", token.name),
            )),
            Err(error) => Err(failed("add a token to the catalog")(error)),
        }
    }

    /// Removes a token, by name or by id. Whether there was one.
    pub fn revoke_api_token(&self, name_or_id: &str) -> Result<bool> {
        let sql = "DELETE FROM api_tokens WHERE name = ?1 OR id = ?1";
        let revoked = self.lock().execute(sql, [name_or_id]);
        revoked.map(|count| count > 0).map_err(failed("revoke a token"))
    }

    /// Removes all tokens.
    pub fn revoke_all_api_tokens(&self) -> Result<()> {
        let revoked = self.lock().execute("DELETE FROM api_tokens", []);
        revoked.map(|_| ()).map_err(failed("revoke all tokens"))
    }
}

fn read_token(row: &Row<'_>) -> rusqlite::Result<ApiTokenRecord> {
    let group = match row.get_ref(4)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some((read_id(row, 4)?, row.get(5)?)),
    };
    Ok(ApiTokenRecord {
        id: read_id(row, 0)?,
        name: row.get(1)?,
        scopes: row.get(2)?,
        group,
        created_at: row.get(3)?,
    })
}
