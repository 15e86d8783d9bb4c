//! Rights on one database.

use std::sync::Arc;

use super::permissions::{TableAction, TablePermissions};

/// Rights on one database. The layers below know nothing else of who is asking. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// May change rows.
    pub write: bool,
    /// May change the schema.
    pub ddl: bool,
    /// What of that is meant for which tables; `None` is all for all tables.
    pub tables: Option<Arc<TablePermissions>>,
    /// Why it may not write although the caller may: the owner has blocked it.
    pub blocked: Option<Arc<str>>,
    /// The schema database of a child, which says what the schema is.
    pub schema: Option<Arc<str>>,
}

impl Access {
    /// Everything that a client can do at all.
    pub const FULL: Access =
        Access { write: true, ddl: true, tables: None, blocked: None, schema: None };

    /// Reads everything.
    pub const READ_ONLY: Access =
        Access { write: false, ddl: false, tables: None, blocked: None, schema: None };

    /// Whether these rights include all of `other`.
    pub fn covers(&self, other: &Access) -> bool {
        (self.write || !other.write)
            && (self.ddl || !other.ddl)
            && (self.tables.is_none() || self.tables == other.tables)
    }

    /// Whether the rights of single tables allow `action` on `table`. Says nothing of `write` and `ddl`.
    pub fn allows(&self, action: TableAction, table: &str) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.allows(action, table))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Access;

    #[test]
    fn lesser_rights_do_not_cover_more() {
        let limited = |json: &str| Access {
            tables: Some(Arc::new(serde_json::from_str(json).unwrap())),
            ..Access::FULL
        };
        let writer = Access { ddl: false, ..Access::FULL };
        let of_t = limited(r#"[{"t":["t"],"a":["data_read"]}]"#);
        let of_t_again = limited(r#"[{"t":["t"],"a":["data_read"]}]"#);
        let of_u = limited(r#"[{"t":["u"],"a":["data_read"]}]"#);
        for (has, wants, covers) in [
            (&Access::FULL, &Access::READ_ONLY, true),
            (&Access::FULL, &of_t, true),
            (&writer, &Access::READ_ONLY, true),
            (&writer, &Access::FULL, false),
            (&Access::READ_ONLY, &writer, false),
            (&of_t, &of_t_again, true),
            (&of_t, &of_u, false),
            (&of_t, &Access::READ_ONLY, false),
            (&Access::READ_ONLY, &of_t, false),
        ] {
            assert_eq!(has.covers(wants), covers, "{has:?} {wants:?}");
        }
    }
}
