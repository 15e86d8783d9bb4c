//! How databases are created on each server.

use std::net::SocketAddr;
use std::path::Path;

use crate::server::{Kind, Server};
use crate::{Result, client};

/// Where a server is asked for databases, and how.
pub(crate) struct Api {
    kind: Kind,
    pub(crate) address: SocketAddr,
    authorization: String,
}

/// What a new database is to others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role<'a> {
    Plain,
    Schema,
    ChildOf(&'a str),
    CopyOf(&'a str),
}

impl Api {
    pub(crate) fn of(server: &Server, directory: &Path) -> Result<Self> {
        let (kind, address) = (server.kind, server.admin);
        let authorization = match kind {
            Kind::Hranad => {
                let token = std::fs::read_to_string(directory.join("api-token"))?;
                format!("authorization: Bearer {}\r\n", token.trim())
            }
            _ => String::new(),
        };
        Ok(Api { kind, address, authorization })
    }

    pub(crate) fn create(&self, name: &str, role: Role<'_>) -> Box<[u8]> {
        let (path, body) = match self.kind {
            Kind::Hranad => {
                let more = match role {
                    Role::Plain => String::new(),
                    Role::Schema => ",\"is_schema\":true".to_owned(),
                    Role::ChildOf(schema) => format!(",\"schema\":\"{schema}\""),
                    Role::CopyOf(source) => {
                        format!(",\"seed\":{{\"type\":\"database\",\"name\":\"{source}\"}}")
                    }
                };
                let body = format!("{{\"name\":\"{name}\",\"group\":\"default\"{more}}}");
                ("/v1/databases".to_owned(), body)
            }
            _ => {
                let body = match role {
                    Role::Plain | Role::CopyOf(_) => "{}".to_owned(),
                    Role::Schema => "{\"shared_schema\":true}".to_owned(),
                    Role::ChildOf(schema) => format!("{{\"shared_schema_name\":\"{schema}\"}}"),
                };
                (format!("/v1/namespaces/{name}/create"), body)
            }
        };
        client::post(self.address, &path, &self.authorization, &body)
    }
}
